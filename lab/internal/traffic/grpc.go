package traffic

import (
	"context"
	"encoding/binary"
	"net/http"
	"strconv"
	"strings"

	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/outcome"
)

// The gRPC code of an HTTP status without a gRPC status; any other status is UNKNOWN.
var grpcFromHTTP = map[int]string{
	http.StatusBadRequest: "INTERNAL", http.StatusUnauthorized: "UNAUTHENTICATED", http.StatusForbidden: "PERMISSION_DENIED",
	http.StatusNotFound: "UNIMPLEMENTED", http.StatusTooManyRequests: "UNAVAILABLE", http.StatusBadGateway: "UNAVAILABLE",
	http.StatusServiceUnavailable: "UNAVAILABLE", http.StatusGatewayTimeout: "UNAVAILABLE",
}

// call sends the body as the one message of a gRPC call and waits for all messages that come back.
func (h *http2Client) call(ctx context.Context, p Probe) Answer {
	if p.Method == "" {
		p.Method = http.MethodPost
	}
	defaults := [][2]string{{"content-type", "application/grpc"}, {"te", "trailers"}, {"user-agent", "lab"}}
	answer, body := h.roundTrip(ctx, p, defaults, grpcFrame(p.Body))
	answer.Body = strings.Join(grpcMessages(body.head), "\n")
	answer.Bytes = int64(len(answer.Body))
	if answer.Trailer == nil && body.length == 0 {
		// A call that failed at once has its status in the header: gRPC calls that the trailer all the same.
		answer.Trailer = answer.Header
	}
	if answer.Error == "" {
		answer.GRPC = grpcCode(answer)
	}
	return answer
}

func grpcCode(answer Answer) string {
	for _, field := range answer.Trailer {
		if field[0] == "grpc-status" {
			if code, err := strconv.Atoi(field[1]); err == nil && code >= 0 && code < len(outcome.GRPC) {
				return outcome.GRPC[code]
			}
			return "UNKNOWN"
		}
	}
	if code, ok := grpcFromHTTP[answer.Status]; ok {
		return code
	}
	return "UNKNOWN"
}

// grpcFrame puts the length in front of a message.
func grpcFrame(message string) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(message))), message...)
}

func grpcMessages(stream []byte) []string {
	var messages []string
	for len(stream) >= 5 {
		end := 5 + int(binary.BigEndian.Uint32(stream[1:5]))
		if end > len(stream) {
			break
		}
		messages = append(messages, string(stream[5:end]))
		stream = stream[end:]
	}
	return messages
}
