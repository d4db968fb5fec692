package traffic

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// Hold is a number of connections that stay open. On each, the client sends a line at the interval Every (default: a
// second) and expects it back. Kind is "tcp", "websocket" or "grpc"; the streams of one Hold of gRPC share a channel,
// as those of an application do. With "http" the line is a request that must be answered with 200, on a connection that
// is reopened when the server has closed it.
type Hold struct {
	Probe
	Name  string `json:"name"`
	Count int    `json:"count"`
}

// Held is the result of one connection.
type Held struct {
	Name     string        `json:"name"`
	Kind     string        `json:"kind"`
	Opened   time.Time     `json:"opened"` // when the first line had come back
	Ended    time.Time     `json:"ended"`  // zero when the client ended it
	Why      string        `json:"why,omitempty"`
	Sent     int           `json:"sent"`
	Received int           `json:"received"`
	Silence  time.Duration `json:"silence"` // the longest time between two lines that came back
}

// Alive reports whether the connection was open until the client ended it, and every line came back but one that was
// under way.
func (h Held) Alive() bool { return !h.Opened.IsZero() && h.Ended.IsZero() && h.Sent-h.Received <= 1 }

// longest is the maximum time for which connections are held.
const longest = 10 * time.Minute

// RunHold reads an array of plans from in, holds the connections until the named file exists (without a name, until in
// is at its end), and writes their results to out.
func RunHold(in io.Reader, out io.Writer, stop string) error {
	decoder := json.NewDecoder(in)
	var plans []Hold
	if err := decoder.Decode(&plans); err != nil {
		return fmt.Errorf("plans: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), longest)
	defer cancel()
	go func() {
		defer cancel()
		if stop == "" {
			io.Copy(io.Discard, in)
			return
		}
		for _, err := os.Stat(stop); err != nil && rest(ctx, 100*time.Millisecond); _, err = os.Stat(stop) {
		}
	}()
	held := KeepOpen(ctx, plans)
	<-ctx.Done() // the caller ends this, even when no connection is left
	return json.NewEncoder(out).Encode(held)
}

// KeepOpen holds all connections until the context ends.
func KeepOpen(ctx context.Context, plans []Hold) []Held {
	var all []*Held
	var waiting sync.WaitGroup
	for _, plan := range plans {
		open := plan.dialog
		if plan.Kind == "grpc" {
			channel, err := plan.channel()
			if err != nil {
				all = append(all, &Held{Name: plan.Name, Kind: plan.Kind, Why: err.Error(), Ended: time.Now()})
				continue
			}
			defer channel.Close()
			open = func(ctx context.Context) (dialog, error) { return openStream(ctx, channel, locate(plan.URL).path) }
		}
		for range plan.Count {
			held := &Held{Name: plan.Name, Kind: plan.Kind}
			all = append(all, held)
			if plan.Kind == "" || plan.Kind == "http" {
				waiting.Go(func() { held.ask(ctx, plan) })
			} else {
				waiting.Go(func() { held.keep(ctx, plan, open) })
			}
		}
	}
	waiting.Wait()
	results := make([]Held, len(all))
	for i, held := range all {
		results[i] = *held
	}
	return results
}

// ask sends requests until the context ends.
func (h *Held) ask(ctx context.Context, plan Hold) {
	p := plan.Probe
	p.Every, p.Reuse = max(p.Every, time.Millisecond), true
	samples := repeat(context.WithoutCancel(ctx), ctx.Done(), p).Samples
	h.Sent = len(samples)
	for _, sample := range samples {
		if h.Opened.IsZero() {
			h.Opened = sample.At
		}
		h.Silence = max(h.Silence, sample.Took)
		if sample.Outcome == "200" {
			h.Received++
		} else if h.Why == "" {
			h.Ended, h.Why = sample.At, sample.Outcome
		}
	}
}

// dialog is one connection on which lines are exchanged.
type dialog interface {
	say(line string) error
	hear() error // one line, whatever it is
	Close() error
}

// keep sends lines until the context or the connection ends.
func (h *Held) keep(ctx context.Context, plan Hold, open func(context.Context) (dialog, error)) {
	began, cancel := context.WithTimeout(ctx, plan.timeout())
	with, err := open(began)
	cancel()
	if err != nil {
		h.Ended, h.Why = time.Now(), describe(ctx, err)
		return
	}
	defer with.Close()
	heard, failed := make(chan time.Time), make(chan error, 1)
	go func() {
		for {
			if err := with.hear(); err != nil {
				failed <- err
				return
			}
			select {
			case heard <- time.Now():
			case <-ctx.Done():
				return
			}
		}
	}()
	every := plan.Every
	if every == 0 {
		every = time.Second
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	last := time.Now()
	for say := true; ; {
		if say {
			h.Sent++
			if err := with.say(fmt.Sprintf("line %d", h.Sent)); err != nil {
				h.Ended, h.Why = time.Now(), describe(context.Background(), err)
				return
			}
		}
		select {
		case at := <-heard:
			if h.Received == 0 {
				h.Opened = at
			} else {
				h.Silence = max(h.Silence, at.Sub(last))
			}
			h.Received++
			last, say = at, false
		case <-ticker.C:
			say = true
		case err := <-failed:
			h.Ended, h.Why = time.Now(), describe(context.Background(), err)
			return
		case <-ctx.Done():
			if h.Received > 0 {
				h.Silence = max(h.Silence, time.Since(last))
			}
			return
		}
	}
}

// dialog opens a connection of TCP or a WebSocket.
func (h Hold) dialog(ctx context.Context) (dialog, error) {
	if h.Kind == "websocket" {
		p := h.Probe
		p.Header = p.upgrade()
		c, answer := connect(ctx, p, nil)
		if c == nil {
			return nil, fmt.Errorf("%s", answer.Error)
		}
		defer c.bound(ctx)()
		if answer = c.http1(ctx, p); answer.Outcome() != "101" {
			c.Close()
			return nil, fmt.Errorf("no WebSocket: %s", answer.Outcome())
		}
		return frames{c}, nil
	}
	c, answer := connect(ctx, h.Probe, nil)
	if c == nil {
		return nil, fmt.Errorf("%s", answer.Error)
	}
	return lines{c}, nil
}

type frames struct{ *connection }

func (f frames) say(line string) error {
	_, err := f.Write(websocketFrame(frameText, line))
	return err
}

func (f frames) hear() error {
	_, err := f.websocketMessage()
	return err
}

type lines struct{ *connection }

func (l lines) say(line string) error {
	_, err := io.WriteString(l.Conn, line+"\n")
	return err
}

func (l lines) hear() error {
	_, err := l.reader.ReadString('\n')
	return err
}

// channel connects to the server of a plan of gRPC, and again whenever the connection is lost, as the client libraries
// do.
func (h Hold) channel() (*grpc.ClientConn, error) {
	dial := func(ctx context.Context, _ string) (net.Conn, error) {
		p := h.Probe
		p.Kind = "h2"
		c, answer := connect(ctx, p, nil)
		if c == nil {
			return nil, fmt.Errorf("%s", answer.Error)
		}
		return buffered{c.Conn, c.reader}, nil
	}
	where := locate(h.URL)
	return grpc.NewClient("passthrough:///"+where.address(), grpc.WithAuthority(h.host()), grpc.WithContextDialer(dial),
		grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithDefaultCallOptions(grpc.ForceCodec(plainBytes{})))
}

// buffered reads what the reader has taken already.
type buffered struct {
	net.Conn
	reader *bufio.Reader
}

func (b buffered) Read(data []byte) (int, error) { return b.reader.Read(data) }

type stream struct {
	grpc.ClientStream
	cancel context.CancelFunc
}

// openStream starts a call in both directions. It ends with Close, not with the time that it has to begin.
func openStream(ctx context.Context, channel *grpc.ClientConn, method string) (dialog, error) {
	life, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer context.AfterFunc(ctx, cancel)()
	call, err := channel.NewStream(life, &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, method)
	if err != nil {
		cancel()
		return nil, err
	}
	return stream{call, cancel}, nil
}

func (s stream) say(line string) error {
	message := []byte(line)
	return s.SendMsg(&message)
}

func (s stream) hear() error {
	var message []byte
	return s.RecvMsg(&message)
}

func (s stream) Close() error {
	s.cancel()
	return nil
}

func (h Held) String() string {
	text := fmt.Sprintf("%s %s, %d lines sent, %d received, longest silence %s", h.Name, h.Kind, h.Sent, h.Received, h.Silence.Round(100*time.Millisecond))
	if !h.Ended.IsZero() {
		text += " (" + h.Why + ")"
	}
	return text
}
