package traffic

import (
	"encoding/json"
	"sync"
	"sync/atomic"
)

// count is what arrived at a port.
type count struct{ connections, requests atomic.Int64 }

func (c *count) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]int64{"connections": c.connections.Load(), "requests": c.requests.Load()})
}

// counts has a count for each port.
type counts struct {
	lock   sync.Mutex
	byPort map[int]*count
}

func (c *counts) of(port int) *count {
	c.lock.Lock()
	defer c.lock.Unlock()
	if c.byPort == nil {
		c.byPort = map[int]*count{}
	}
	if c.byPort[port] == nil {
		c.byPort[port] = &count{}
	}
	return c.byPort[port]
}

func (c *counts) MarshalJSON() ([]byte, error) {
	c.lock.Lock()
	defer c.lock.Unlock()
	return json.Marshal(c.byPort)
}
