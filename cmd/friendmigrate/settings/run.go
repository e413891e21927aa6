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

func (s *Stop) flags() []Flag {
	s.MaxFailures, s.MaxExtraCalls = -1, -1
	return Group(groupStop,
		Open("max-duration TIME", "off", Duration(&s.MaxDuration, time.Second, 10*year),
			"stop after so long; the same command resumes"),
		Open("max-failures N", "off", Whole(&s.MaxFailures, 0, 1<<62),
			"stop when more edges than this fail in this run"),
		Declare("max-failure-ratio SHARE", "0.5", number(&s.MaxFailureRatio, 0, 1),
			"stop when this share of what this run settled has failed, from 1,000 edges of 20 accounts on, "+
				"or when its first 300 calls land nothing; 0: neither"),
		Open("max-extra-calls N", "200, or 5 % of the calls if that is more", Whole(&s.MaxExtraCalls, 0, 1<<62),
			"stop when finding refused edges by halving has cost more calls"),
	)
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

func (e *Eyes) flags() []Flag {
	return Group(groupEyes,
		Open("listen HOST:PORT", "off", Last(e.setListen),
			"serve /metrics, /healthz, /readyz and /status there; port 0 takes a free one"),
		Open("linger TIME", "off", Duration(&e.Linger, 0, 24*time.Hour),
			"go on serving so long after the end, for the last scrape; a signal ends it"),
	)
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

func (o *Output) flags() []Flag {
	return Group(groupOutput,
		Choose("progress HOW", &o.Progress, "bar, lines or none; auto: a bar on a terminal, lines otherwise",
			"auto", "bar", "lines", "none"),
		Choose("log-format HOW", &o.LogFormat, "console or json; auto: console on a terminal, json otherwise",
			"auto", "console", "json"),
		Choose("log-level LEVEL", &o.LogLevel, "debug, info, warn or error; account ids show at debug alone",
			"info", "debug", "warn", "error"),
	)
}
