package settings

import (
	"fmt"
	"net"
	"strconv"
	"time"
)

// Stop says when to end before the end. Negative numbers and 0 for MaxDuration are off.
type Stop struct {
	MaxDuration     time.Duration
	MaxFailures     int64
	MaxExtraCalls   int64   // see ExtraCalls
	MaxFailureRatio float64 // 0: off
}

// ExtraCalls is what halving may cost in a job of so many calls, which is the default of
// --max-extra-calls.
func (s Stop) ExtraCalls(calls int64) int64 {
	if s.MaxExtraCalls >= 0 {
		return s.MaxExtraCalls
	}
	return max(200, calls/20)
}

// Eyes says who may look at a run, and how long.
type Eyes struct {
	Listen string        // HOST:PORT; "": nobody listens
	Linger time.Duration // goes on serving after the end, for the last scrape
}

const listenHere = "127.0.0.1:9090" // an example

func (e *Eyes) setListen(value string) error {
	if value == "" {
		return errEmpty
	}
	_, port, err := net.SplitHostPort(value)
	if err != nil {
		return Instead(listenHere, fmt.Errorf("is %q: it is HOST:PORT, such as %s, or :9090 for every address "+
			"of this machine", value, listenHere))
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return Instead(listenHere, fmt.Errorf("has the port %q: a number up to 65535 is needed", port))
	}
	e.Listen = value
	return nil
}

// Output says what is shown.
type Output struct {
	Progress  string // auto, bar, lines, none
	LogFormat string // auto, console, json
	LogLevel  string // debug, info, warn, error
	Warnings  []string
}
