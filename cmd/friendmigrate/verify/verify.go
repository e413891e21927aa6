package verify

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"friendmigrate/checkpoint"
	"friendmigrate/cmd/friendmigrate/reading"
	"friendmigrate/cmd/friendmigrate/sampling"
	"friendmigrate/migrate"
	"friendmigrate/migrate/disk"
	"friendmigrate/sink"
	"friendmigrate/source"
	"friendmigrate/source/stage"
)

// Options say what is verified and where that is kept.
type Options struct {
	FS     disk.FS
	Dir    string // of the verify's own journal; its owner holds a lock on it
	Lists  string // folder for the lists
	Stage  *stage.Stage
	Counts source.Counts       // of reading what is staged
	ID     checkpoint.Identity // the app and the rows: what makes another verify, beside the plan
	Job    *checkpoint.Journal // of the import of this very plan, nil where there is none
	Fields bool                // compare fields too
	Sample int64               // so many edges only, 0: all
	Seed   uint64              // of a new sample
}

// Service is what a verify asks. Check and Pages are those of sink.Client.
type Service struct {
	Check func(ctx context.Context, from string, to []string) ([]sink.Relation, error)
	Pages func(from string) reading.Pages
}

// Verify is one verify, from its beginning over any number of interruptions to its end. It belongs to one goroutine.
type Verify struct {
	Options
	Resumed bool // an earlier process has begun it

	journal *checkpoint.Journal
	sample  *sample // nil: everything
}

// The names under which a verify's own settings stand in its identity.
const (
	optionFields = "--fields"
	optionSample = "--sample"
	optionSeed   = "seed"
)

// Open begins a verify, or goes on with the one in o.Dir if that is the same and has not finished. Another one that lies there is forgotten.
func Open(ctx context.Context, o Options) (*Verify, error) {
	v := &Verify{Options: o}
	if err := v.resume(ctx); err != nil {
		return nil, err
	}
	if v.journal != nil {
		return v, nil
	}
	return v, v.begin(ctx)
}

// identity is what makes a verify the same.
func (v *Verify) identity(seed string) checkpoint.Identity {
	id := v.ID
	id.Options = maps.Clone(id.Options)
	if id.Options == nil {
		id.Options = map[string]string{}
	}
	id.Options[optionFields] = strconv.FormatBool(v.Fields)
	id.Options[optionSample], id.Options[optionSeed] = "", ""
	totals := v.Stage.Totals()
	id.Edges, id.Chunks, id.PlanDigest = totals.Edges, totals.Chunks, totals.PlanDigest
	if v.sample != nil {
		id.Edges, id.Chunks = int64(len(v.sample.drawn)), v.sample.chunks
	}
	if v.sampled() {
		id.Options[optionSample], id.Options[optionSeed] = strconv.FormatInt(v.Sample, 10), seed
	}
	return id
}

// sampled reports whether only a part is asked about.
func (v *Verify) sampled() bool { return v.Sample > 0 && v.Sample < v.Stage.Totals().Edges }

// resume takes up what an earlier process has left.
func (v *Verify) resume(ctx context.Context) error {
	journal, err := checkpoint.Open(v.FS, v.Dir, checkpoint.Options{})
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case errors.Is(err, checkpoint.ErrDamaged), errors.Is(err, checkpoint.ErrNewer):
		return v.remove() // it holds nothing that cannot be asked again
	case err != nil:
		return err
	}
	recorded := journal.Identity()
	seed := recorded.Options[optionSeed]
	if v.sampled() {
		if v.Seed, err = strconv.ParseUint(seed, 10, 64); err == nil {
			err = v.draw(ctx)
		}
		if err != nil && ctx.Err() != nil {
			return errors.Join(err, journal.Close())
		}
	}
	want := v.identity(seed)
	if err != nil || len(recorded.Differs(want)) > 0 || recorded.PlanDigest != want.PlanDigest || recorded.Edges != want.Edges || recorded.Chunks != want.Chunks {
		v.sample = nil
		return errors.Join(journal.Close(), v.remove())
	}
	v.journal, v.Resumed = journal, true
	return v.askAgain(ctx)
}

// askAgain takes up those edges again of which an earlier run had no verdict.
func (v *Verify) askAgain(ctx context.Context) error {
	var codes []int
	for code, n := range v.journal.Totals().FailedByCode {
		if n > 0 && !hasVerdict(code) {
			codes = append(codes, code)
		}
	}
	if len(codes) == 0 {
		return nil
	}
	if _, err := v.journal.Reopen(ctx, codes); err != nil {
		return errors.Join(err, v.Close())
	}
	return nil
}

// begin makes the journal of a new verify.
func (v *Verify) begin(ctx context.Context) error {
	if v.sampled() {
		if err := v.draw(ctx); err != nil {
			return err
		}
	}
	id := v.identity(strconv.FormatUint(v.Seed, 10))
	id.Created = time.Now().UTC()
	if err := checkpoint.Create(v.FS, v.Dir, id); err != nil {
		return err
	}
	var err error
	v.journal, err = checkpoint.Open(v.FS, v.Dir, checkpoint.Options{})
	return err
}

func (v *Verify) draw(ctx context.Context) (err error) {
	v.sample, err = newSample(ctx, v.Stage, sampling.Draw(v.Stage.Totals().Edges, v.Sample, v.Seed))
	return err
}

// remove forgets the verify in the folder.
func (v *Verify) remove() error {
	if err := v.FS.Remove(filepath.Join(v.Dir, checkpoint.FileName)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove the journal of a verify: %w", err)
	}
	return v.FS.SyncDir(v.Dir)
}

// Totals tells where it stands. It may be called from any goroutine.
func (v *Verify) Totals() Totals {
	t := v.journal.Totals()
	totals := Totals{Edges: v.journal.Identity().Edges, Calls: v.journal.Identity().Chunks, CallsDone: t.Chunks, InPlace: t.Imported + t.Already, Pending: t.Pending}
	for code, n := range t.FailedByCode {
		switch {
		case n == 0:
		case isMissing(code):
			totals.Missing += n
		case code == codeDifferent:
			totals.Different += n
		default:
			if totals.NoVerdict == nil {
				totals.NoVerdict = map[int]int64{}
			}
			totals.NoVerdict[code] += n
		}
	}
	return totals
}

// Totals is what a verify has found so far.
type Totals struct {
	Edges     int64 // to ask about
	Calls     int64 // of friend_check, if nothing has to be asked twice
	CallsDone int64
	InPlace   int64
	Missing   int64
	Different int64
	NoVerdict map[int]int64 // by the service's code: it answered, but said neither
	Pending   int64         // not asked, or not answered
}

// Done reports whether there is a verdict on everything.
func (t Totals) Done() bool { return t.Pending == 0 && len(t.NoVerdict) == 0 }

// Asked counts the edges that were answered.
func (t Totals) Asked() int64 { return t.Edges - t.Pending }

// Run asks about what is open. engine says how: pace, patience, probe and meter; what is about failures, bytes and rows is not for it to say.
func (v *Verify) Run(ctx context.Context, s Service, engine migrate.Options, calls func() int64) (migrate.Summary, error) {
	if v.journal.Totals().Pending == 0 {
		return migrate.Summary{}, nil
	}
	if err := v.journal.BeginRun(checkpoint.RunStart{At: time.Now().UTC(), Workers: engine.Workers}); err != nil {
		return migrate.Summary{}, err
	}
	engine.CallBytes, engine.EdgeBytes, engine.Envelope = 1<<30, func(*migrate.Edge) int { return 0 }, 0 // 1000 ids always fit
	engine.MaxFailures, engine.MaxFailureRatio = -1, -1
	var to migrate.Importer = &asker{check: s.Check}
	if v.Fields {
		to = newReader(s.Pages, engine.Memory/2)
		engine.Memory /= 2
	}
	summary, err := migrate.Run(ctx, v.plan(context.WithoutCancel(ctx)), to, v.journal, engine)
	end := v.journal.EndRun(checkpoint.RunEnd{At: time.Now().UTC(), Calls: calls(), AllAnswered: true}) // asking twice does no harm
	if err == nil {
		err = end
	}
	return summary, err
}

func (v *Verify) plan(ctx context.Context) iter.Seq2[migrate.Roster, error] {
	if v.sample != nil {
		return v.sample.rosters(ctx)
	}
	return v.Stage.Rosters(ctx, v.journal.Done)
}

// Finish ends a verify that has a verdict on everything, after its lists were written: what is run next begins anew.
func (v *Verify) Finish() error {
	return errors.Join(v.Close(), v.remove())
}

// Close closes the journal.
func (v *Verify) Close() error {
	if v.journal == nil {
		return nil
	}
	err := v.journal.Close()
	v.journal = nil
	return err
}

// Drawn tells how many edges are asked about, of how many.
func (v *Verify) Drawn() (drawn, of int64) {
	of = v.Stage.Totals().Edges
	if v.sample == nil {
		return of, of
	}
	return int64(len(v.sample.drawn)), of
}

// Codes lists the codes of NoVerdict in ascending order.
func (t Totals) Codes() []int { return slices.Sorted(maps.Keys(t.NoVerdict)) }
