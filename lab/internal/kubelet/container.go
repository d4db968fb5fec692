package kubelet

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// bundle is the configuration of a container's first process.
type bundle struct {
	Root         string // an empty directory of this computer's, covered by a file system in memory
	ReadOnlyRoot bool
	Hostname     string
	Files        map[string]string // content by path inside
	Mounts       []mount
	Directory    string // working directory
	Command      []string
}

type mount struct {
	Source, Target string
	ReadOnly       bool
}

// shared is what every image has from this computer: programs and libraries, read-only. Nothing else of it is visible
// inside.
var shared = []string{
	"/usr", "/bin", "/sbin", "/lib", "/lib64",
	"/etc/alternatives", "/etc/ssl", "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/passwd", "/etc/group", "/etc/protocols",
	"/etc/services", "/etc/nsswitch.conf", "/etc/ethertypes",
}

var devices = []string{"null", "zero", "full", "random", "urandom", "tty"}

// startedFile is open for as long as a container is being built; the kubelet waits for its end.
const startedFile = 3

// Init is the first process of a container, in its own namespaces. It builds the file system of the pod, makes it the
// root, and executes the container's program.
func Init(bundlePath string) error {
	data, err := os.ReadFile(bundlePath)
	if err != nil {
		return err
	}
	var b bundle
	if err := json.Unmarshal(data, &b); err != nil {
		return err
	}
	unix.CloseOnExec(startedFile)
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	if err := b.build(); err != nil {
		return err
	}
	if err := unix.Sethostname([]byte(b.Hostname)); err != nil {
		return err
	}
	if err := b.enter(); err != nil {
		return err
	}
	program, err := exec.LookPath(b.Command[0])
	if err != nil {
		return err
	}
	return unix.Exec(program, b.Command, os.Environ())
}

func (b *bundle) build() error {
	if err := unix.Mount("tmpfs", b.Root, "tmpfs", 0, "mode=0755"); err != nil {
		return fmt.Errorf("root: %w", err)
	}
	for _, path := range shared {
		if err := share(path, b.Root+path); err != nil {
			return err
		}
	}
	// What the image adds lies here; this computer's own programs of that directory are not in it.
	if err := unix.Mount("tmpfs", b.Root+"/usr/local/bin", "tmpfs", 0, "mode=0755"); err != nil {
		return fmt.Errorf("/usr/local/bin: %w", err)
	}
	for _, dir := range []string{"/proc", "/dev", "/dev/pts", "/dev/shm", "/run", "/var/lib", "/var/log", "/etc", "/sys"} {
		if err := os.MkdirAll(b.Root+dir, 0o755); err != nil {
			return err
		}
	}
	if err := os.Symlink("../run", b.Root+"/var/run"); err != nil {
		return err
	}
	if err := os.Mkdir(b.Root+"/tmp", 0o777); err != nil {
		return err
	}
	if err := os.Chmod(b.Root+"/tmp", 0o1777); err != nil {
		return err
	}
	for _, device := range devices {
		if err := bind("/dev/"+device, b.Root+"/dev/"+device, false); err != nil {
			return err
		}
	}
	for name, target := range map[string]string{"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2", "ptmx": "pts/ptmx"} {
		if err := os.Symlink(target, b.Root+"/dev/"+name); err != nil {
			return err
		}
	}
	if err := unix.Mount("devpts", b.Root+"/dev/pts", "devpts", 0, "newinstance,ptmxmode=0666,mode=0620"); err != nil {
		return fmt.Errorf("pts: %w", err)
	}
	if err := unix.Mount("proc", b.Root+"/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("proc: %w", err)
	}
	for path, content := range b.Files {
		if err := os.MkdirAll(filepath.Dir(b.Root+path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(b.Root+path, []byte(content), 0o644); err != nil {
			return err
		}
	}
	for _, m := range b.Mounts {
		if err := bind(m.Source, b.Root+m.Target, m.ReadOnly); err != nil {
			return err
		}
	}
	return nil
}

func (b *bundle) enter() error {
	if b.ReadOnlyRoot {
		if err := unix.Mount("", b.Root, "", unix.MS_REMOUNT|unix.MS_BIND|unix.MS_RDONLY, ""); err != nil {
			return fmt.Errorf("read-only root: %w", err)
		}
	}
	if err := unix.Chdir(b.Root); err != nil {
		return err
	}
	// The old root is put on top of the new one and taken off again: no directory is needed for it.
	if err := unix.PivotRoot(".", "."); err != nil {
		return fmt.Errorf("pivot: %w", err)
	}
	if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return fmt.Errorf("leave old root: %w", err)
	}
	directory := b.Directory
	if directory == "" {
		directory = "/"
	}
	return unix.Chdir(directory)
}

// share shows a path of this computer read-only; what is a link there (/lib on most systems) is the same link inside.
func share(path, target string) error {
	info, err := os.Lstat(path)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Mode()&os.ModeSymlink != 0 {
		link, err := os.Readlink(path)
		if err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return err
		}
		return os.Symlink(link, target)
	}
	return bind(path, target, true)
}

func bind(source, target string, readOnly bool) error {
	info, err := os.Stat(source)
	if err != nil {
		return err
	}
	if info.IsDir() {
		err = os.MkdirAll(target, 0o755)
	} else if err = os.MkdirAll(filepath.Dir(target), 0o755); err == nil {
		var file *os.File
		if file, err = os.OpenFile(target, os.O_CREATE, 0o644); err == nil {
			err = file.Close()
		}
	}
	if err != nil {
		return err
	}
	if err := unix.Mount(source, target, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		return fmt.Errorf("bind %s: %w", source, err)
	}
	if readOnly {
		if err := unix.Mount("", target, "", unix.MS_REMOUNT|unix.MS_BIND|unix.MS_RDONLY, ""); err != nil {
			return fmt.Errorf("bind %s read-only: %w", source, err)
		}
	}
	return nil
}
