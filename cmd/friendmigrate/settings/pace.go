package settings

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"friendmigrate/migrate"
	"friendmigrate/migrate/disk"
	"friendmigrate/sink"
)

const (
	serviceRate = 200 // friend calls per second that the service accepts for an app
	leastRate   = 0.1
	mostWorkers = 10_000 // calls in flight
	filesApart  = 32     // open files that are not connections of calls
)

// Pace says how fast calls are sent, and how long to wait and retry.
type Pace struct {
	Rate          float64 // calls per second of this process
	Workers       int
	Timeout       time.Duration
	MaxAttempts   int
	OutageTimeout time.Duration
	CallBytes     int
}

// ParseRate parses a rate in the same way as --rate.
func ParseRate(text string) (rate float64, err error) {
	err = number(&rate, leastRate, 1e9)([]string{text})
	return rate, err
}

// RateText returns a rate as a number without an exponent.
func RateText(rate float64) string { return strconv.FormatFloat(rate, 'f', -1, 64) }

// RateWords returns a rate with its unit, for people.
func RateWords(rate float64) string {
	if rate == math.Trunc(rate) {
		return migrate.Some(int64(rate), "call") + " per second"
	}
	return RateText(rate) + " calls per second"
}

// WarnOfRate returns a warning about a rate, or "".
func WarnOfRate(name string, rate float64) string {
	if rate <= serviceRate {
		return ""
	}
	return fmt.Sprintf("%s is %s: the service takes %d friend calls per second of an app and refuses the rest, "+
		"unless that limit was raised for this app", name, RateText(rate), serviceRate)
}

// check sets the rate of the shard and the number of calls in flight.
func (p *Pace) check(r *Reader, shard Shard, rehearse bool) {
	if text := WarnOfRate("--rate", p.Rate); text != "" && !rehearse {
		r.warn("%s", text)
	}
	if shard.Count > 1 && p.Rate < sink.Unpaced {
		share := shard.RateOf(p.Rate)
		if share < 1 {
			r.Refuse("shard", fmt.Sprintf("I/%d", max(1, int(p.Rate))),
				"--rate %g is less than one call per second for each of %d shards: take fewer shards",
				p.Rate, shard.Count)
		}
		p.Rate = share
	}
	if p.Workers == 0 {
		p.Workers = max(1, min(int(1.5*p.Rate+0.5), 1000))
	}
	if files, err := disk.OpenFiles(); err == nil {
		p.limitWorkers(r, files, rehearse)
	}
}

// limitWorkers limits the calls in flight by the number of files that a process may open. Each call
// has a connection; in a rehearsal its other end is open in the same process.
func (p *Pace) limitWorkers(r *Reader, files int, rehearse bool) {
	connections := max(1, files-filesApart)
	if rehearse {
		connections = max(1, connections/2)
	}
	if p.Workers > connections {
		r.warn("this machine lets a process open %d files (ulimit -n), and %d are kept for other things than calls: "+
			"so %s in flight at most, not %d; the pace may fall below --rate", files, filesApart,
			migrate.Some(int64(connections), "call"), p.Workers)
		p.Workers = connections
	}
}
