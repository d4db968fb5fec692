package traffic

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
)

func (s *server) serveGRPC(ctx context.Context, l *listener) error {
	calls := grpc.NewServer(
		grpc.ForceServerCodec(plainBytes{}),
		grpc.UnknownServiceHandler(func(_ any, stream grpc.ServerStream) error { return s.call(l, stream) }),
	)
	stopped := make(chan struct{})
	context.AfterFunc(ctx, func() {
		defer close(stopped)
		defer time.AfterFunc(grace, calls.Stop).Stop()
		calls.GracefulStop()
	})
	if err := calls.Serve(l); err != nil {
		return err
	}
	<-stopped
	return nil
}

// call answers any method of any service.
func (s *server) call(l *listener, stream grpc.ServerStream) error {
	path, _ := grpc.MethodFromServerStream(stream)
	l.request("POST", path, authority(stream.Context()), remote(stream.Context()))
	var message []byte
	if err := stream.RecvMsg(&message); err != nil {
		return err
	}
	stream.SetTrailer(metadata.Pairs("x-lab-trailer", "yes"))
	reply := fmt.Appendf(nil, "%s: %s", s.pod, message)
	switch path[strings.LastIndex(path, "/")+1:] {
	case "Fail":
		return status.Error(codes.FailedPrecondition, "as asked")
	case "Talk":
		return talk(stream, message)
	case "Flood":
		return flood(stream)
	case "Deaf":
		<-stream.Context().Done()
		return stream.Context().Err()
	case "Stream":
		for range 3 {
			if err := stream.SendMsg(&reply); err != nil {
				return err
			}
		}
		return nil
	}
	return stream.SendMsg(&reply)
}

// talk answers every message with the message, until the client ends the stream.
func talk(stream grpc.ServerStream, message []byte) error {
	for {
		if err := stream.SendMsg(&message); err != nil {
			return err
		}
		if err := stream.RecvMsg(&message); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// flood sends messages until the client disconnects.
func flood(stream grpc.ServerStream) error {
	message := make([]byte, 32<<10)
	for {
		if err := stream.SendMsg(&message); err != nil {
			return err
		}
	}
}

func authority(ctx context.Context) string {
	values := metadata.ValueFromIncomingContext(ctx, ":authority")
	return strings.Join(values, ",")
}

func remote(ctx context.Context) string {
	if who, ok := peer.FromContext(ctx); ok {
		return who.Addr.String()
	}
	return ""
}

// plainBytes takes messages as they are, so that no schema is needed.
type plainBytes struct{}

func (plainBytes) Marshal(message any) ([]byte, error) { return *message.(*[]byte), nil }

func (plainBytes) Unmarshal(data []byte, message any) error {
	*message.(*[]byte) = append([]byte(nil), data...)
	return nil
}

func (plainBytes) Name() string { return "bytes" }
