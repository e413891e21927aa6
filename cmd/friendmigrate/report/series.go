package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"

	"friendmigrate/migrate/disk"
)

// MostPoints is the largest number of points in a series. If there would be more, neighbouring
// points are merged, so a job of a month has a point every half hour.
const MostPoints = 2000

// Series records a job over time: the sums and the states of intervals of the same length. It spans
// all runs of the job.
type Series struct {
	Step   int64   `json:"step"` // seconds in an interval, a power of two
	Points []Point `json:"points"`

	last    Moment
	runs    int
	started bool
}

// Point is what happened in one interval.
type Point struct {
	At      int64   `json:"at"`  // its first second, in Unix time
	Run     int     `json:"run"` // from 1; the next run after a kill has the next number
	Seconds float64 `json:"seconds"`
	Counts
	Limit  float64 `json:"limit"` // calls per second that were set
	Held   float64 `json:"held,omitempty"`
	Paused float64 `json:"paused,omitempty"`
	Waited float64 `json:"waited,omitempty"` // as the service asked
	P50    float64 `json:"p50,omitempty"`    // of the calls' latency, in seconds
	P95    float64 `json:"p95,omitempty"`
	P99    float64 `json:"p99,omitempty"`
}

// Counts holds what grows while a run makes progress.
type Counts struct {
	Calls     int64 `json:"calls"`
	Throttled int64 `json:"throttled,omitempty"` // of Calls, refused as too frequent
	Imported  int64 `json:"imported,omitempty"`
	Already   int64 `json:"already,omitempty"`
	Failed    int64 `json:"failed,omitempty"`
}

// Moment is a sample of a run: sums since its beginning, and its current state.
type Moment struct {
	At time.Time
	Counts
	Limit                    float64
	Holding, Paused, Waiting bool
	Bounds                   []float64 // upper bounds of the buckets of latencies, in seconds
	Buckets                  []int64   // calls in each bucket, and in one beyond the last bound
}

// ReadSeries reads a series. It returns an empty one if there is none.
func ReadSeries(name string) (s Series, err error) {
	s, err = disk.ReadJSON[Series](name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return s, nil
	case err == nil && !s.sound():
		return Series{}, fmt.Errorf("read %q: no run can have written this", name)
	}
	return s, err
}

// sound reports whether the series can be computed with: its readers divide by Step and Seconds,
// and fill the time between points. The largest value is a time in the distant future.
func (s *Series) sound() bool {
	const most = 1 << 36
	return s.Step >= 1 && s.Step <= most && !slices.ContainsFunc(s.Points, func(p Point) bool {
		return p.At < 0 || p.At > most || p.Seconds <= 0
	})
}

// WriteUnsynced replaces a file atomically with a value as JSON. It does not sync, because after a
// power cut the values of a second before are of no use.
func WriteUnsynced(name string, value any) error {
	text, err := json.Marshal(value)
	if err == nil {
		err = os.WriteFile(name+".tmp", append(text, '\n'), disk.FileMode)
	}
	if err != nil {
		return err
	}
	return os.Rename(name+".tmp", name)
}

// Observe adds what has happened since the last sample of this run. The first sample begins the
// run.
func (s *Series) Observe(now Moment) {
	if s.Step == 0 {
		s.Step = 1
	}
	before := s.last
	s.last = now
	if !s.started {
		s.started, s.runs = true, 1
		if n := len(s.Points); n > 0 {
			s.runs = s.Points[n-1].Run + 1
		}
		return
	}
	seconds := now.At.Sub(before.At).Seconds()
	if seconds <= 0 {
		return
	}
	p := Point{
		At: now.At.Unix() / s.Step * s.Step, Run: s.runs, Seconds: seconds, Limit: now.Limit,
		Counts: Counts{
			Calls: now.Calls - before.Calls, Throttled: now.Throttled - before.Throttled,
			Imported: now.Imported - before.Imported, Already: now.Already - before.Already,
			Failed: now.Failed - before.Failed,
		},
	}
	if now.Holding {
		p.Held = seconds
	}
	if now.Paused {
		p.Paused = seconds
	}
	if now.Waiting {
		p.Waited = seconds
	}
	counts := slices.Clone(now.Buckets)
	for i, n := range before.Buckets[:min(len(before.Buckets), len(counts))] {
		counts[i] -= n
	}
	p.P50, p.P95, p.P99 = quantile(now.Bounds, counts, .5), quantile(now.Bounds, counts, .95),
		quantile(now.Bounds, counts, .99)
	s.add(p)
}

// add adds a point, or merges it into the last one of the same interval, and halves the resolution
// while there are too many.
func (s *Series) add(p Point) {
	s.Points = appendPoint(s.Points, p)
	for len(s.Points) > MostPoints {
		s.Step *= 2
		s.Points = s.coarse(s.Step)
	}
}

// coarse returns one point for each interval of a longer step, with the last run of the interval.
func (s *Series) coarse(step int64) (points []Point) {
	for _, p := range s.Points {
		p.At = p.At / step * step
		if n := len(points); n > 0 && points[n-1].At == p.At {
			points[n-1].Run = p.Run
		}
		points = appendPoint(points, p)
	}
	return points
}

// appendPoint appends a point, or merges it into the last one if that is of the same interval and
// run.
func appendPoint(points []Point, p Point) []Point {
	if n := len(points); n > 0 && points[n-1].At == p.At && points[n-1].Run == p.Run {
		points[n-1] = points[n-1].merge(p)
		return points
	}
	return append(points, p)
}

// merge returns both points as one. Quantiles cannot be merged exactly: the median becomes the
// mean, weighted by calls, and the others the larger one.
func (p Point) merge(q Point) Point {
	if n := p.Calls + q.Calls; n > 0 {
		p.P50 = (p.P50*float64(p.Calls) + q.P50*float64(q.Calls)) / float64(n)
	}
	p.P95, p.P99 = max(p.P95, q.P95), max(p.P99, q.P99)
	p.Counts = Plus(p.Counts, q.Counts)
	p.Seconds, p.Held, p.Paused, p.Limit = p.Seconds+q.Seconds, p.Held+q.Held, p.Paused+q.Paused, q.Limit
	p.Waited += q.Waited
	return p
}

// quantile is the value below which the share q of the calls lies, interpolated within its bucket;
// 0 without calls.
func quantile(bounds []float64, counts []int64, q float64) float64 {
	var all int64
	for _, n := range counts {
		all += n
	}
	below, lower, rank := 0.0, 0.0, q*float64(all)
	for i, n := range counts {
		if i == len(bounds) {
			return lower
		}
		if n > 0 && below+float64(n) >= rank {
			return lower + (bounds[i]-lower)*(rank-below)/float64(n)
		}
		below, lower = below+float64(n), bounds[i]
	}
	return 0
}
