package traffic

import (
	"bufio"
	"bytes"
	"context"
	"strconv"
	"strings"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

const (
	initialWindow = 65535
	frameSize     = 16384 // the size of frames that every server takes
	ourWindow     = 1 << 30
)

// http2Client sends HTTP/2 frame by frame, one stream after the other, because usual clients would normalize or reject
// the requests of a probe.
type http2Client struct {
	*connection
	out     *bufio.Writer
	framer  *http2.Framer
	block   bytes.Buffer
	encoder *hpack.Encoder
	stream  uint32
	// How much the server is ready to take: on the connection, and on each new stream.
	window, streamWindow int64
}

func newHTTP2(c *connection) *http2Client {
	h := &http2Client{connection: c, out: bufio.NewWriter(c.Conn), window: initialWindow, streamWindow: initialWindow}
	h.framer = http2.NewFramer(h.out, c.reader)
	h.framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	h.encoder = hpack.NewEncoder(&h.block)
	// Without a header table, the server cannot reject its size.
	h.encoder.SetMaxDynamicTableSize(0)
	return h
}

// ask sends a plain request.
func (h *http2Client) ask(ctx context.Context, p Probe) Answer {
	defaults := [][2]string{{"user-agent", "lab"}, {"accept", "*/*"}}
	if p.Body != "" {
		defaults = append(defaults, [2]string{"content-length", strconv.Itoa(len(p.Body))})
	}
	answer, body := h.roundTrip(ctx, p, defaults, []byte(p.Body))
	answer.setBody(body.head, body.length)
	return answer
}

// received is the body of a response.
type received struct {
	head   []byte
	length int64
}

// roundTrip sends one request and returns the answer and its body. What the framer writes goes to a buffer, whose first
// failure Flush reports.
func (h *http2Client) roundTrip(ctx context.Context, p Probe, defaults [][2]string, body []byte) (Answer, received) {
	answer := h.facts
	if h.stream == 0 {
		h.out.WriteString(http2.ClientPreface)
		h.framer.WriteSettings(http2.Setting{ID: http2.SettingEnablePush}, http2.Setting{ID: http2.SettingInitialWindowSize, Val: ourWindow})
		h.framer.WriteWindowUpdate(0, ourWindow)
		h.stream = 1
	} else {
		h.stream += 2
	}
	h.writeHeader(h.header(p, defaults), len(body) == 0)
	exchange := http2Exchange{http2Client: h, body: body, window: h.streamWindow, answer: &answer}
	for !exchange.ended {
		exchange.send()
		if err := h.out.Flush(); err != nil {
			return answer.failed(ctx, err), exchange.received
		}
		frame, err := h.framer.ReadFrame()
		if err == nil {
			err = exchange.receive(frame)
		}
		if err != nil {
			return answer.failed(ctx, err), exchange.received
		}
	}
	if len(exchange.body) > 0 {
		h.framer.WriteRSTStream(h.stream, http2.ErrCodeCancel)
	}
	return answer, exchange.received
}

// header lists the fields of a request: those that begin with a colon come first.
func (h *http2Client) header(p Probe, defaults [][2]string) [][2]string {
	scheme := "http"
	if h.facts.TLSVersion != "" {
		scheme = "https"
	}
	all := p.withDefaults(append([][2]string{
		{":method", p.method()}, {":scheme", scheme}, {":authority", p.host()}, {":path", p.target()},
	}, defaults...)...)
	var pseudo, plain [][2]string
	for _, field := range all {
		field[0] = strings.ToLower(field[0])
		if strings.HasPrefix(field[0], ":") {
			pseudo = append(pseudo, field)
		} else {
			plain = append(plain, field)
		}
	}
	return append(pseudo, plain...)
}

func (h *http2Client) writeHeader(header [][2]string, end bool) {
	h.block.Reset()
	for _, field := range header {
		h.encoder.WriteField(hpack.HeaderField{Name: field[0], Value: field[1]})
	}
	fragment := h.block.Next(frameSize)
	h.framer.WriteHeaders(http2.HeadersFrameParam{
		StreamID: h.stream, BlockFragment: fragment, EndStream: end, EndHeaders: h.block.Len() == 0,
	})
	for h.block.Len() > 0 {
		fragment = h.block.Next(frameSize)
		h.framer.WriteContinuation(h.stream, h.block.Len() == 0, fragment)
	}
}

// http2Exchange is one request under way.
type http2Exchange struct {
	*http2Client
	body     []byte // what is still to be sent
	window   int64  // how much of it the server takes on this stream
	answer   *Answer
	received received
	ended    bool
}

// send writes as much of the body as the server is ready to take.
func (e *http2Exchange) send() {
	for len(e.body) > 0 {
		size := min(int64(len(e.body)), frameSize, e.window, e.http2Client.window)
		if size <= 0 {
			return
		}
		e.framer.WriteData(e.stream, size == int64(len(e.body)), e.body[:size])
		e.body = e.body[size:]
		e.window -= size
		e.http2Client.window -= size
	}
}

func (e *http2Exchange) receive(frame http2.Frame) error {
	ours := frame.Header().StreamID == e.stream
	switch frame := frame.(type) {
	case *http2.MetaHeadersFrame:
		if ours {
			return e.receiveHeader(frame)
		}
	case *http2.DataFrame:
		if frame.Length > 0 {
			e.framer.WriteWindowUpdate(0, frame.Length)
		}
		if ours {
			e.receiveData(frame)
		}
	case *http2.RSTStreamFrame:
		if ours {
			return streamReset(frame.ErrCode)
		}
	case *http2.GoAwayFrame:
		e.spent = true
		if frame.LastStreamID < e.stream {
			return goAway(frame.ErrCode)
		}
	case *http2.SettingsFrame:
		e.receiveSettings(frame)
	case *http2.PingFrame:
		if !frame.IsAck() {
			e.framer.WritePing(true, frame.Data)
		}
	case *http2.WindowUpdateFrame:
		if ours {
			e.window += int64(frame.Increment)
		} else if frame.StreamID == 0 {
			e.http2Client.window += int64(frame.Increment)
		}
	}
	return nil
}

func (e *http2Exchange) receiveHeader(frame *http2.MetaHeadersFrame) error {
	var header [][2]string
	for _, field := range frame.RegularFields() {
		header = append(header, [2]string{field.Name, field.Value})
	}
	sortHeader(header)
	e.ended = frame.StreamEnded()
	if e.answer.Status != 0 {
		e.answer.Trailer = header
		return nil
	}
	status, err := strconv.Atoi(frame.PseudoValue("status"))
	if err != nil {
		return err
	}
	if status >= 200 {
		e.answer.Status, e.answer.Proto, e.answer.Header = status, "HTTP/2.0", header
	}
	return nil
}

func (e *http2Exchange) receiveData(frame *http2.DataFrame) {
	data := frame.Data()
	e.received.length += int64(len(data))
	e.received.head = append(e.received.head, data[:min(len(data), bodyRead-len(e.received.head))]...)
	e.ended = frame.StreamEnded()
	if frame.Length > 0 && !e.ended {
		e.framer.WriteWindowUpdate(e.stream, frame.Length)
	}
}

func (e *http2Exchange) receiveSettings(frame *http2.SettingsFrame) {
	if frame.IsAck() {
		return
	}
	if size, ok := frame.Value(http2.SettingInitialWindowSize); ok {
		e.window += int64(size) - e.streamWindow
		e.streamWindow = int64(size)
	}
	e.framer.WriteSettingsAck()
}
