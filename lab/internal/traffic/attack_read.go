package traffic

import (
	"fmt"

	"golang.org/x/net/http2"
)

// read records frames of the server until the connection ends.
func (a *attacker) read() error {
	var gone error
	for {
		frame, err := a.framer.ReadFrame()
		if err != nil {
			if gone != nil {
				err = gone
			}
			return err
		}
		switch frame := frame.(type) {
		case *http2.SettingsFrame:
			err = a.settings(frame)
		case *http2.MetaHeadersFrame:
			if status := frame.PseudoValue("status"); status != "" {
				a.report.count(func() { a.report.Outcomes[status]++ })
			} else if code := trailer(frame, "grpc-status"); code != "" {
				a.report.count(func() { a.report.Outcomes["gRPC "+code]++ })
			}
		case *http2.DataFrame:
			a.report.count(func() { a.report.Received += int64(frame.Length) })
		case *http2.RSTStreamFrame:
			a.report.count(func() { a.report.Outcomes[frame.ErrCode.String()]++ })
		case *http2.GoAwayFrame:
			gone = goAway(frame.ErrCode)
		case *http2.PingFrame:
			if !frame.IsAck() {
				err = a.locked(func() error { return a.framer.WritePing(true, frame.Data) })
			}
		case *http2.WindowUpdateFrame:
			a.locked(func() error {
				if frame.StreamID == 0 {
					a.window += int64(frame.Increment)
				} else {
					a.windows[frame.StreamID] += int64(frame.Increment)
				}
				return nil
			})
			select {
			case a.more <- struct{}{}:
			default:
			}
		}
		if err != nil {
			return fmt.Errorf("while reading: %w", err)
		}
	}
}

func trailer(frame *http2.MetaHeadersFrame, name string) string {
	for _, field := range frame.RegularFields() {
		if field.Name == name {
			return field.Value
		}
	}
	return ""
}

func (a *attacker) settings(frame *http2.SettingsFrame) error {
	if frame.IsAck() {
		return nil
	}
	a.lock.Lock()
	defer a.lock.Unlock()
	a.allowed = 1 << 31
	if most, ok := frame.Value(http2.SettingMaxConcurrentStreams); ok {
		a.allowed = most
	}
	if size, ok := frame.Value(http2.SettingInitialWindowSize); ok {
		for id := range a.windows {
			a.windows[id] += int64(size) - a.initial
		}
		a.initial = int64(size)
	}
	a.report.count(func() { a.report.MaxStreams, a.report.MaxWindow = a.allowed, uint32(a.initial) })
	select {
	case <-a.settled:
	default:
		close(a.settled)
	}
	return a.framer.WriteSettingsAck()
}
