package lab

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// numbers are those that a lab may use: the one in the variable LAB, or any.
func numbers() []int {
	if chosen := os.Getenv("LAB"); chosen != "" {
		id, err := strconv.Atoi(chosen)
		if err != nil || id < 0 || id >= maxLabs {
			return nil // Check has reported it
		}
		return []int{id}
	}
	var all []int
	for id := range maxLabs {
		all = append(all, id)
	}
	return all
}

// Hold reserves a running lab until Release, or until this process ends: several runs would disturb each other.
func (l *Lab) Hold() error {
	held, err := lock(l.ID)
	if errors.Is(err, errTaken) {
		return fmt.Errorf("lab %d is in use by another run: wait until it ends, or choose another lab by the variable LAB", l.ID)
	}
	if err != nil {
		return err
	}
	l.lock = held
	if !kept(l.ID) { // meanwhile
		l.Release()
		return errNone
	}
	return nil
}

// Release undoes Hold.
func (l *Lab) Release() { _ = l.lock.Close() }

var errTaken = errors.New("taken")

// claim reserves a number, unless a process holds it or a lab was left running under it.
func claim(id int) (*os.File, error) {
	if kept(id) { // not locked even for a moment, because a process may use it
		return nil, errTaken
	}
	lock, err := lock(id)
	if err == nil && kept(id) { // meanwhile
		lock.Close()
		return nil, errTaken
	}
	return lock, err
}

// lock is held by the process that runs a lab, or that uses one that `up` has left running.
func lock(id int) (*os.File, error) {
	if err := os.MkdirAll(root, 0o755); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(directory(id)+".lock", os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil {
		file.Close()
		return nil, errTaken
	}
	return file, nil
}

func kept(id int) bool {
	_, err := os.Stat(filepath.Join(directory(id), "kept"))
	return err == nil
}

func directory(id int) string { return filepath.Join(root, strconv.Itoa(id)) }
