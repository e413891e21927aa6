// Package oracle judges the program after every death and at every end, by the service's own account first and by its words only where the two are compared. It
// holds the oracles that every run of the fault suite has to keep:
//
//	O1  the sum balances, and is that of the input
//	O2  no false success: what is reported in place is in the service, with its fields
//	O3  no phantom: what is in the service was in the input
//	O4  bounded repeats: after one death at most one chunk for each worker is sent again; nothing is that was answered to a run that still lives
//	O5  serial: never two calls of one account open at once
//	O6  the rate, over restarts too
//	O7  settled only grows, and a broken job ends with the lists and the graph of an unbroken one
//	O8  exit code, last line, report, lists and journal tell one story
//	O9  the key and every signature are in no file and no output
//	O10 no edge stands as failed that the service did not itself refuse
package oracle

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"friendmigrate/cmd/trial/lab"
	"friendmigrate/migrate"
)

// Witness has seen a job from its beginning.
type Witness struct {
	Job     *lab.Job
	Service *lab.Service
	Folder  string // the state folder
	Like    *lab.Reference
	Stalls  *lab.Stalls

	// Changing says that the service changes as it goes: failed edges may be taken up again at any time, and one may
	// be there whose answer was lost before its account went.
	Changing bool

	// Late counts the calls that left after the last acknowledgement that counts: those between the beginning of a power cut and its end.
	Late int

	deaths int                       // abrupt ones, before the run that is judged
	seen   map[place]migrate.Outcome // settled when last looked
	failed []string
}

// Found lists what was violated so far, an entry each: the oracle's number and words.
func (w *Witness) Found() []string { return w.failed }

func (w *Witness) violated(oracle, format string, args ...any) {
	w.failed = append(w.failed, oracle+": "+fmt.Sprintf(format, args...))
}

// Fail notes a violation that its row has found by itself.
func (w *Witness) Fail(oracle, text string) { w.violated(oracle, "%s", text) }

// Dead judges after the end of a run, whatever ended it. After an abrupt end the program did not see all answers to its calls.
func (w *Witness) Dead(end lab.Ended, abrupt bool) {
	s, err := readState(w.Folder)
	if err != nil {
		w.violated("O7", "the state cannot be read: %v", err)
		return
	}
	w.placed(s)
	w.grown(s)
	w.repeats()
	if abrupt {
		w.deaths++
	}
	w.service()
	w.secrets(end)
	if strings.Contains(end.Out, "panic:") || strings.Contains(end.Out, "goroutine ") {
		w.violated("O8", "it panicked: %s", end.Out)
	}
	if end.Code == lab.Hung {
		w.violated("O8", "it did not end: %s", end.Out)
	}
}

// placed is O2, edge by edge, at any moment: what the journal has as in place is there.
func (w *Witness) placed(s *state) {
	missing := 0
	var first lab.Pair
	for at, o := range s.settled {
		pair, known := s.plan[at]
		if known && o.Kind != migrate.Failed && !w.Service.Sim.Has(pair.From, pair.To) {
			missing++
			first = pair
		}
	}
	if missing > 0 {
		w.violated("O2", "%d edges are settled as in place and are not in the service, %s -> %s among them", missing, first.From, first.To)
	}
}

// grown is the first half of O7. A failed edge may be open again where that was asked for.
func (w *Witness) grown(s *state) {
	lost := 0
	for at, was := range w.seen {
		now, there := s.settled[at]
		if was.Kind == migrate.Failed && w.retries() {
			continue
		}
		if !there || now.Kind != was.Kind || now.Code != was.Code {
			lost++
		}
	}
	if lost > 0 {
		w.violated("O7", "%d edges that were settled are not, or otherwise", lost)
	}
	w.seen = s.settled
}

// Keeps is the first half of O7 for what the program had told: so many edges in place.
func (w *Witness) Keeps(told int64) {
	kept := int64(0)
	for _, o := range w.seen {
		if o.Kind != migrate.Failed {
			kept++
		}
	}
	if kept < told {
		w.violated("O7", "%d edges were told to be in place, the journal has %d", told, kept)
	}
}

func (w *Witness) retries() bool {
	if w.Changing {
		return true
	}
	for _, act := range w.Job.Acts {
		if act.Change != nil {
			return true
		}
	}
	return false
}

// repeats is O4.
func (w *Witness) repeats() {
	accounts, most := w.Service.Repeats()
	if allowed := w.deaths*w.Job.Workers + w.Late; accounts > allowed {
		w.violated("O4", "edges of %d accounts were sent again, %d workers and %d deaths allow %d", accounts, w.Job.Workers, w.deaths, allowed)
	}
	if most > migrate.MaxChunkEdges {
		w.violated("O4", "%d edges of one account were sent again", most)
	}
	if n := w.Service.Needless(); n > 0 {
		w.violated("O4", "%d edges were sent again by the run that had their answer", n)
	}
}

// Of any rate + 1 calls the last leaves a second after the first. They arrive closer together by what held up the first, which is measured beside the runs
// (Witness.Stalls), for both sides; a limiter that is full again at the start, or that forgets the run before, has them there in half a second. The sliding second
// of departures itself is held exactly by the tests of the limiter, in virtual time.
const (
	leastJitter = 100 * time.Millisecond
	mostJitter  = 500 * time.Millisecond
)

// jitter is how much closer together calls may arrive than they left.
func (w *Witness) jitter() time.Duration { return min(leastJitter+2*w.Stalls.Longest(), mostJitter) }

// service is O5, O6 and O3.
func (w *Witness) service() {
	stats := w.Service.Sim.Stats()
	if stats.Overlaps > 0 {
		w.violated("O5", "%d calls overlapped another one of their account, such as %q", stats.Overlaps, stats.OverlapAccounts)
	}
	jitter := w.jitter()
	if crowd := int(w.Job.Rate) + 1; w.Job.Rate < lab.Unpaced {
		if took, known := w.Service.Closest(crowd); known && took < time.Second-jitter {
			w.violated("O6", "%d calls arrived within %v, the rate is %g", crowd, took, w.Job.Rate)
		}
	}
	for pair := range w.Service.Graph() {
		if _, known := w.Job.Pairs[pair]; !known {
			w.violated("O3", "%s -> %s is in the service and was not in the input", pair.From, pair.To)
			return
		}
	}
}

// secrets is O9.
func (w *Witness) secrets(end lab.Ended) {
	secrets := w.Service.Secrets()
	look := func(where string, text []byte) {
		for _, secret := range secrets {
			if bytes.Contains(text, []byte(secret)) {
				w.violated("O9", "a key or signature is in %s", where)
				return
			}
		}
	}
	look("the output", []byte(end.Out))
	err := filepath.WalkDir(w.Folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		look(path, content)
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		w.violated("O9", "the state cannot be searched: %v", err)
	}
}

// Finished judges an act that ended by itself with the code of a finished one.
func (w *Witness) Finished(end lab.Ended, act int) {
	want := &w.Like.Acts[act]
	if end.Code != want.Code {
		w.violated("O8", "exit code %d, the unbroken run had %d: %s", end.Code, want.Code, end.Last)
		return
	}
	w.graph(want)
	r, ok := w.story(end)
	if !ok {
		return
	}
	w.sum(r, w.Job.Acts[act].Part)
	w.lists(want, r)
}

// Told judges what a run says of itself that has no unbroken one beside it: O1, O8, and the sum of O2.
func (w *Witness) Told(end lab.Ended) {
	if r, ok := w.story(end); ok {
		w.sum(r, end.Code != 0 && end.Code != 3)
	}
}

// Refused is the first third of O10: refused says whether the service has ever refused an edge with this code.
func (w *Witness) Refused(refused func(pair lab.Pair, code int) bool) {
	s, err := readState(w.Folder)
	if err != nil {
		w.violated("O10", "the state cannot be read: %v", err)
		return
	}
	for at, o := range s.settled {
		if pair, known := s.plan[at]; known && o.Kind == migrate.Failed && !refused(pair, o.Code) {
			w.violated("O10", "%s -> %s stands as failed with %d, with which nobody refused it", pair.From, pair.To, o.Code)
			return
		}
	}
}

// graph is the second half of O7, and O2 with fields.
func (w *Witness) graph(want *lab.ReferenceAct) {
	got := w.Service.Graph()
	differ := 0
	var first lab.Pair
	for pair, fields := range want.Graph {
		if got[pair] != fields {
			differ++
			first = pair
		}
	}
	if differ > 0 || len(got) != len(want.Graph) {
		w.violated("O7", "the service has %d edges and the unbroken run's has %d; %d are not or otherwise there, such as %v", len(got), len(want.Graph), differ, first)
	}
}

// told is what report.json says.
type told struct {
	Ending struct {
		Code int    `json:"code"`
		What string `json:"what"`
	} `json:"ending"`
	Edges struct {
		Read      int64 `json:"read"`
		Imported  int64 `json:"imported"`
		Already   int64 `json:"already"`
		Failed    int64 `json:"failed"`
		Rejected  int64 `json:"rejected"`
		Duplicate int64 `json:"duplicate"`
		Pending   int64 `json:"pending"`
		Balanced  bool  `json:"balanced"`
	} `json:"edges"`
	Added struct {
		Imported int64 `json:"imported"`
		Already  int64 `json:"already"`
		Failed   int64 `json:"failed"`
		Pending  int64 `json:"pending"`
	} `json:"added"`
}

// story is O8: report, progress, last line and journal. It returns the report.
func (w *Witness) story(end lab.Ended) (r told, ok bool) {
	var p struct {
		Code *int   `json:"code"`
		What string `json:"what"`
	}
	for name, into := range map[string]any{"report.json": &r, "progress.json": &p} {
		content, err := os.ReadFile(filepath.Join(w.Folder, name))
		if err == nil {
			err = json.Unmarshal(content, into)
		}
		if err != nil {
			w.violated("O8", "%s: %v", name, err)
			return r, false
		}
	}
	if r.Ending.Code != end.Code || p.Code == nil || *p.Code != end.Code {
		w.violated("O8", "exit code %d, the report says %d, progress.json %v", end.Code, r.Ending.Code, p.Code)
	}
	if !strings.HasPrefix(end.Last, "friendmigrate: ") || !strings.Contains(end.Last, "; hint: ") || !strings.Contains(end.Last, r.Ending.What) {
		w.violated("O8", "the last line is %q, the report says %q", end.Last, r.Ending.What)
	}
	s, err := readState(w.Folder)
	if err != nil {
		w.violated("O8", "the state cannot be read: %v", err)
		return r, false
	}
	t := s.totals
	if t.Imported+t.Already != r.Edges.Imported+r.Edges.Already+r.Added.Imported+r.Added.Already || t.Failed != r.Edges.Failed+r.Added.Failed ||
		t.Pending != r.Edges.Pending+r.Added.Pending {
		w.violated("O8", "the journal says %+v, the report %+v and %+v", t, r.Edges, r.Added)
	}
	return r, true
}

// sum is O1.
func (w *Witness) sum(r told, part bool) {
	e := r.Edges
	if sum := e.Imported + e.Already + e.Failed + e.Rejected + e.Duplicate + e.Pending; sum != e.Read || !e.Balanced {
		w.violated("O1", "%d edges read, the sum is %d", e.Read, sum)
	}
	if e.Read != w.Job.Rows || e.Rejected != w.Job.Rejected || e.Duplicate != w.Job.Duplicates {
		w.violated("O1", "read %d, rejected %d, duplicate %d; the input has %d, %d, %d", e.Read, e.Rejected, e.Duplicate, w.Job.Rows, w.Job.Rejected, w.Job.Duplicates)
	}
	pending := e.Pending + r.Added.Pending
	if !part && pending > 0 || r.Ending.Code == 0 && (!part && pending > 0 || e.Failed+r.Added.Failed+e.Rejected > 0) {
		w.violated("O1", "exit code %d with %+v", r.Ending.Code, e)
	}
	inPlace := e.Imported + e.Already + r.Added.Imported + r.Added.Already
	if there := int64(len(w.Service.Graph())); inPlace > there || !part && !w.Changing && len(w.Job.Before) == 0 && inPlace != there {
		w.violated("O2", "%d edges are reported in place, the service has %d", inPlace, there)
	}
}
