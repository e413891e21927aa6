package report

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"friendmigrate/checkpoint"
)

// tenHours is a job of ten hours with three kills, a hold, a pause and a throttled hour.
func tenHours() *Series {
	s := &Series{}
	begin := time.Date(2026, 1, 2, 20, 0, 0, 0, time.UTC)
	m := Moment{At: begin, Limit: 200, Bounds: []float64{.05, .1, .2, 1}, Buckets: make([]int64, 5)}
	s.Observe(m)
	for second := 1; second <= 10*60*60; second++ {
		m.At = begin.Add(time.Duration(second) * time.Second)
		m.Holding, m.Paused = second/600 == 15, second/600 == 40
		calls := int64(198)
		switch {
		case m.Holding || m.Paused:
			calls = 0
		case second/3600 == 4:
			calls = 120
			m.Throttled += 20
		}
		m.Calls += calls
		m.Imported += calls * 30
		m.Failed += calls / 50
		m.Buckets = append([]int64(nil), m.Buckets...)
		m.Buckets[1] += calls * 9 / 10
		m.Buckets[2] += calls - calls*9/10
		if second%9000 == 0 && second < 36000 { // killed, and run again half a minute later
			s = &Series{Step: s.Step, Points: s.Points}
			m.Calls, m.Throttled, m.Imported, m.Failed, m.Buckets = 0, 0, 0, 0, make([]int64, 5)
			second += 30
			m.At = m.At.Add(30 * time.Second)
		}
		s.Observe(m)
	}
	return s
}

func TestASeriesOfTenHoursKeepsItsSums(t *testing.T) {
	s := tenHours()
	var calls, imported int64
	var held, paused float64
	for i, p := range s.Points {
		calls, imported, held, paused = calls+p.Calls, imported+p.Imported, held+p.Held, paused+p.Paused
		if i > 0 && (p.At < s.Points[i-1].At || p.Run < s.Points[i-1].Run) {
			t.Fatalf("point %d goes back: %+v after %+v", i, p, s.Points[i-1])
		}
	}
	if len(s.Points) > MostPoints || len(s.Points) < MostPoints/3 || s.Points[len(s.Points)-1].Run != 4 {
		t.Errorf("%d points, %d runs, a step of %d s", len(s.Points), s.Points[len(s.Points)-1].Run, s.Step)
	}
	if want := imported / 30; calls != want || calls < 6_000_000 || held < 500 || paused != 600 {
		t.Errorf("%d calls, want %d; held %v s, paused %v s", calls, want, held, paused)
	}
	if p := s.Points[10]; p.P50 < .05 || p.P50 > .1 || p.P95 < .1 || p.P99 > .2 {
		t.Errorf("the latencies are %v %v %v", p.P50, p.P95, p.P99)
	}
}

func TestASeriesSurvivesAKill(t *testing.T) {
	name := filepath.Join(t.TempDir(), "series.json")
	if s, err := ReadSeries(name); err != nil || len(s.Points) != 0 {
		t.Errorf("%+v %v", s, err)
	}
	s := tenHours()
	if err := WriteUnsynced(name, s); err != nil {
		t.Fatal(err)
	}
	again, err := ReadSeries(name)
	if err != nil || len(again.Points) != len(s.Points) || again.Points[7] != s.Points[7] || again.Step != s.Step {
		t.Errorf("%v, %d points", err, len(again.Points))
	}
	point := `"at":1767380000,"seconds":1`
	for damaged, bad := range map[string]bool{"{": true, `{}`: true, `{"step":0,"points":[{` + point + `}]}`: true,
		`{"step":-1,"points":[]}`: true, `{"step":1152921504606846976,"points":[]}`: true, `{"step":1,"points":[{` + point + `}]}`: false,
		`{"step":1,"points":[{` + point + `},{"at":-9,"seconds":1}]}`: true, `{"step":1,"points":[{"at":9223372036854775807,"seconds":1}]}`: true,
		`{"step":1,"points":[{"at":1767380000}]}`: true} {
		if err := os.WriteFile(name, []byte(damaged), 0o600); err != nil {
			t.Fatal(err)
		}
		if s, err := ReadSeries(name); (err != nil) != bad || bad && s.Step != 0 {
			t.Errorf("%s: %+v %v", damaged, s, err)
		}
	}
}

// Any single bit of the file may flip. What can still be read can be drawn, added up and continued.
func TestASeriesWithAFlippedBitCostsTheChartsAlone(t *testing.T) {
	good := &Series{Step: 1}
	for i := range int64(3) {
		good.add(Point{At: 1767380000 + i, Run: 1, Seconds: 1, Limit: 100, P50: .05, Counts: Counts{Calls: 90}})
	}
	text, err := json.Marshal(good)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "series.json")
	for i := range 8 * len(text) {
		damaged := slices.Clone(text)
		damaged[i/8] ^= 1 << (i % 8)
		if err := os.WriteFile(name, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := ReadSeries(name)
		if err != nil {
			continue
		}
		good.plus(&s).columns()
		s.plus(&s).columns()
		s.Observe(Moment{At: time.Unix(1767380100, 0)})
		s.Observe(Moment{At: time.Unix(1767380101, 0)})
	}
}

func TestAWaitThatTheServiceAskedForIsThrottling(t *testing.T) {
	s := &Series{}
	for second := range int64(3) {
		s.Observe(Moment{At: time.Unix(1767380100+second, 0), Waiting: true})
	}
	if p := s.Points[0].merge(s.Points[1]); p.state() != "throttled" {
		t.Errorf("%s: %+v", p.state(), p)
	}
}

func TestThePageHasChartsAndNoScript(t *testing.T) {
	r := sample()
	r.Series = tenHours()
	var b strings.Builder
	if err := r.WriteHTML(&b); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	for _, want := range []string{"Calls per second", "Latency in milliseconds", "Edges per second", `class="held"`, `class="paused"`, `class="throttled"`, `class="restart"`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, bad := range []string{"<script", "url(", "NaN", "src="} {
		if strings.Contains(page, bad) {
			t.Errorf("the page has %q", bad)
		}
	}
	if n := len(page); n > 500_000 {
		t.Errorf("the page has %d bytes", n)
	}
	r.Series.Points[7].At += 30 * 24 * 60 * 60 // the clock was a month ahead for a moment
	before := slices.Clone(r.Series.Points)
	b.Reset()
	if err := r.WriteHTML(&b); err != nil || b.Len() > 500_000 || !slices.Equal(before, r.Series.Points) {
		t.Errorf("with a clock that jumped the page has %d bytes: %v", b.Len(), err)
	}
	if name := os.Getenv("FRIENDMIGRATE_REPORT_PAGE"); name != "" {
		if err := os.WriteFile(name, []byte(page), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAShortSeriesHasNoCharts(t *testing.T) {
	for _, n := range []int{0, 1, 2} {
		s := &Series{Step: 1}
		for i := range n {
			s.Points = append(s.Points, Point{At: int64(i), Run: 1, Seconds: 1, Counts: Counts{Calls: 3}})
		}
		if c, err := s.Charts(); err != nil || c != nil {
			t.Errorf("%d points: %v, %d charts", n, err, len(c))
		}
	}
}

func TestThePageSaysFirstWhetherEverythingArrived(t *testing.T) {
	whole := Sums{Rows: Sum{Read: 9, Counts: checkpoint.Counts{Imported: 9}, Balanced: true}}
	for name, c := range map[string]struct {
		r    Report
		want string
	}{
		"pending":       {Report{Sums: Sums{Rows: Sum{Read: 9, Counts: checkpoint.Counts{Imported: 8}, Pending: 1, Balanced: true}}}, "Not yet: 1 edge is still to be sent."},
		"failed":        {Report{Sums: Sums{Rows: Sum{Read: 9, Counts: checkpoint.Counts{Imported: 7, Failed: 2}, Balanced: true}}}, "Not everything: 2 edges failed."},
		"rejected":      {Report{Sums: Sums{Rows: Sum{Read: 9, Counts: checkpoint.Counts{Imported: 8}, Rejected: 1, Balanced: true}}}, "Not everything: 1 row was rejected."},
		"both":          {Report{Sums: Sums{Rows: Sum{Read: 9, Counts: checkpoint.Counts{Imported: 7, Failed: 1}, Rejected: 1, Balanced: true}}}, "Not everything: 1 edge failed, 1 row was rejected."},
		"not balanced":  {Report{}, "Not known: the sum does not balance."},
		"not verified":  {Report{Sums: whole}, "Yes, by the service's answers: 9 edges are in place. No verify has asked again since."},
		"missing":       {Report{Sums: whole, Verified: &Verified{Missing: 1}}, "No: verify found 1 edge missing."},
		"different":     {Report{Sums: whole, Verified: &Verified{Different: 3}}, "Yes, but verify found 3 edges with other fields."},
		"a part found":  {Report{Sums: whole, Verified: &Verified{InPlace: 8, Pending: 1}}, "Yes, by the service's answers: 9 edges are in place. verify has asked about 8 of them since, and found them."},
		"fields unread": {Report{Sums: whole, Verified: &Verified{InPlace: 9, Unread: 2}}, "Yes: 9 edges are in place, and verify found them; it could not compare the fields of 2."},
		"other, unread": {Report{Sums: whole, Verified: &Verified{InPlace: 8, Unread: 2, Different: 1}}, "Yes, but verify found 1 edge with other fields; it could not compare the fields of 2."},
		"undone": {Report{Sums: Sums{Rows: Sum{Read: 9, Counts: checkpoint.Counts{Imported: 7, Already: 2, AlreadyUncertain: 1}, Balanced: true}}, Undone: &Undone{Edges: 7, Deleted: 7}},
			"No longer: the job was undone, 7 of 7 imported edges are deleted; 1 edge is not touched: perhaps made by a call of this job."},
		"undone in one of two shards": {Join([]Report{{Sums: whole, Undone: &Undone{At: time.Unix(1, 0), Edges: 9, Deleted: 9}}, {Sums: whole}}, 0),
			"No longer: the job was undone in part, 9 of 18 imported edges are deleted."},
		"undone, others in doubt": {Report{Sums: Sums{Rows: Sum{Read: 9, Counts: checkpoint.Counts{Imported: 7}, Pending: 2, Balanced: true}, MaybeSent: 1}, Undone: &Undone{Edges: 7, Deleted: 7}},
			"No longer: the job was undone, 7 of 7 imported edges are deleted; 2 edges are pending and not touched: calls that got no answer have perhaps made some."},
		"all and found": {Report{Sums: whole, Verified: &Verified{InPlace: 9}}, "Yes: 9 edges are in place, and verify found them."},
	} {
		if got := c.r.Arrived(); got != c.want {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// A job that is started again thousands of times has a point or two of each run.
func TestASeriesOfManyRunsIsBounded(t *testing.T) {
	s := Series{Step: 1}
	for run := range 10 * MostPoints {
		for i := range 1 + run%2 {
			s.add(Point{At: int64(1e9+300*run+i) / s.Step * s.Step, Run: run + 1, Seconds: 1, Counts: Counts{Calls: 1}})
		}
	}
	calls, before := int64(0), Point{}
	for _, p := range s.Points {
		if calls += p.Calls; p.At < before.At || p.Run < before.Run {
			t.Fatalf("%+v after %+v", p, before)
		}
		before = p
	}
	if n := len(s.Points); n < MostPoints/4 || n > MostPoints || calls != 15*MostPoints || before.Run != 10*MostPoints || s.Step > 1<<20 {
		t.Errorf("%d points of %d calls, the last of run %d, step %d", n, calls, before.Run, s.Step)
	}
}

// Shards with steps of another length, and a shard that was started again within a step, have the
// same rates together as each for itself.
func TestRatesOfShardsAreAddedUp(t *testing.T) {
	fine, coarse := &Series{Step: 1}, &Series{Step: 8}
	for i := range int64(64) {
		fine.add(Point{At: i, Run: 1 + int(i/13), Seconds: 1, Limit: 100, Counts: Counts{Calls: 90}})
		if i%8 == 0 {
			coarse.add(Point{At: i, Run: 1, Seconds: 8, Limit: 100, Counts: Counts{Calls: 720}})
		}
	}
	sum := fine.plus(coarse).plus(coarse)
	for _, p := range sum.Points {
		if p.Limit != 300 || p.Seconds != 8 || p.Calls != 3*720 {
			t.Errorf("%+v", p)
		}
	}
	if len(sum.Points) != 8 || sum.Points[7].Run != 5 || len(fine.Points) != 64 {
		t.Errorf("%+v", sum)
	}
}
