package traffic

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"io"
	"net/http"
)

// The kinds of WebSocket frames that matter here (RFC 6455, section 5.2).
const (
	frameContinues = 0x0
	frameText      = 0x1
	frameBinary    = 0x2
	frameClose     = 0x8
	frameLast      = 0x80
	frameMasked    = 0x80
)

// websocket upgrades the connection, sends the body as one message and reads one.
func (c *connection) websocket(ctx context.Context, p Probe) Answer {
	upgrade := p
	upgrade.Body = ""
	upgrade.Header = p.upgrade()
	answer := c.http1(ctx, upgrade)
	if answer.Error != "" || answer.Status != http.StatusSwitchingProtocols {
		return answer
	}
	c.spent = true
	if _, err := c.Write(websocketFrame(frameText, p.Body)); err != nil {
		return answer.failed(ctx, err)
	}
	message, err := c.websocketMessage()
	answer.setBody(message, int64(len(message)))
	if err != nil {
		return answer.failed(ctx, err)
	}
	c.Write(websocketFrame(frameClose, ""))
	return answer
}

// upgrade is the header that requests a WebSocket.
func (p Probe) upgrade() [][2]string {
	return p.withDefaults([][2]string{
		{"Connection", "Upgrade"}, {"Upgrade", "websocket"}, {"Sec-WebSocket-Version", "13"},
		{"Sec-WebSocket-Key", base64.StdEncoding.EncodeToString([]byte(rand.Text()[:16]))},
	}...)
}

// websocketFrame is a whole message. The mask that a client has to apply is zero, which leaves the message as it is.
func websocketFrame(kind byte, message string) []byte {
	frame := []byte{frameLast | kind}
	switch length := len(message); {
	case length < 126:
		frame = append(frame, frameMasked|byte(length))
	case length <= 0xffff:
		frame = binary.BigEndian.AppendUint16(append(frame, frameMasked|126), uint16(length))
	default:
		frame = binary.BigEndian.AppendUint64(append(frame, frameMasked|127), uint64(length))
	}
	return append(append(frame, 0, 0, 0, 0), message...)
}

// websocketMessage reads up to the end of the first message, whatever comes between its frames.
func (c *connection) websocketMessage() ([]byte, error) {
	var message []byte
	for {
		var head [2]byte
		if _, err := io.ReadFull(c.reader, head[:]); err != nil {
			return message, err
		}
		length, err := c.websocketLength(head[1])
		if err != nil {
			return message, err
		}
		payload, err := io.ReadAll(io.LimitReader(c.reader, length))
		if err != nil {
			return message, err
		}
		if int64(len(payload)) < length {
			return message, io.ErrUnexpectedEOF
		}
		switch head[0] & 0xf {
		case frameContinues, frameText, frameBinary:
			message = append(message, payload...)
			if head[0]&frameLast != 0 {
				return message, nil
			}
		case frameClose:
			return message, io.EOF
		}
	}
}

func (c *connection) websocketLength(short byte) (int64, error) {
	size := map[byte]int{126: 2, 127: 8}[short]
	if size == 0 {
		return int64(short), nil
	}
	var long [8]byte
	_, err := io.ReadFull(c.reader, long[8-size:])
	return int64(binary.BigEndian.Uint64(long[:])), err
}
