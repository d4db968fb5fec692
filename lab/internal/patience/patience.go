// Package patience prolongs waiting limits by the load of this machine: what takes a second on an idle core takes several when several
// processes want that core. All waiting limits of the lab pass through here.
package patience

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// most is the factor that no load exceeds, so that what never comes is given up some day.
const most = 4.0

// Of is a waiting limit as it is at this moment: once to four times as long as on an idle machine.
func Of(limit time.Duration) time.Duration {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return limit
	}
	return time.Duration(float64(limit) * factor(string(text), runtime.NumCPU())).Round(time.Millisecond)
}

// factor reads the content of /proc/loadavg: the processes that wanted a core during the last minute, for each core.
func factor(loadavg string, cores int) float64 {
	first, _, _ := strings.Cut(loadavg, " ")
	load, err := strconv.ParseFloat(first, 64)
	if err != nil {
		return 1
	}
	return min(max(load/float64(cores), 1), most)
}
