package job

import (
	"fmt"
	"path/filepath"
	"time"

	"go.uber.org/zap"

	"friendmigrate/cmd/friendmigrate/folder"
	"friendmigrate/cmd/friendmigrate/report"
	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/cmd/friendmigrate/terminal"
	"friendmigrate/sink"
	"friendmigrate/source"
	"friendmigrate/source/stage"
)

// describeInput logs what was read and how many calls it takes at least: a chunk that is over
// --chunk-bytes takes more than one. Package source has logged its warnings before.
func (j *Run) describeInput(p *source.Unsealed, took time.Duration) {
	c, t := p.Counts, p.Totals
	calls, least := t.Chunks, "at least "
	switch {
	case calls == 0:
		least = ""
	case j.Set.Job.OnlyMissing: // friend_check first, then what it does not find
		calls, least = 2*calls, "about "
	}
	cost := fmt.Sprintf("%s of %s %s %s%s%s", terminal.Some(t.Edges, "edge"), terminal.Some(t.Rosters, "account"),
		terminal.Verb(t.Edges, "takes", "take"), least, terminal.Some(calls, "call"), j.leastTime(calls))
	j.Log.Info(fmt.Sprintf("read %s in %s: %s", terminal.Some(c.Rows, "row"), terminal.Took(took), cost),
		Event("staged"), zap.Int64("rows", c.Rows), zap.Int64("edges", t.Edges), zap.Int64("accounts", t.Rosters),
		zap.Int64("calls", calls), zap.Float64("seconds", took.Seconds()))
	if t.Added > 0 {
		j.Log.Info(fmt.Sprintf("%s that no row asked for are added by --mutual",
			terminal.Some(t.Added, "reverse edge")),
			Event("mutual-added"), zap.Int64("edges", t.Added))
	}
	j.describeRows(c, t)
	j.describeMutual(t)
	for _, r := range t.OverMaxFirst {
		j.Log.Debug("roster over --max-friends", Event("roster-over"), zap.String("account", r.From),
			zap.Int64("friends", r.Friends))
	}
}

// leastTime says after a comma how long so many calls take at their pace, from a second on; "" if
// there is no limit.
func (j *Run) leastTime(calls int64) string {
	rate := j.Set.Pace.Rate
	least := time.Duration(float64(calls) / rate * float64(time.Second))
	if rate >= sink.Unpaced || least < time.Second {
		return ""
	}
	return fmt.Sprintf(", %s at %s per second", terminal.Span(least), settings.RateText(rate))
}

// describeRows logs where the rows are listed that are not sent as they are.
func (j *Run) describeRows(c source.Counts, t stage.Totals) {
	if c.Rejected > 0 {
		j.Log.Warn(fmt.Sprintf("%s rejected and will not be sent: see %s", terminal.WasWere(c.Rejected, "row"),
			j.path(folder.Rejected)), Event("rejected"),
			zap.Int64("rows", c.Rejected), zap.Any("reasons", c.RejectedBy))
	}
	if c.Changed > 0 {
		j.Log.Warn(fmt.Sprintf("%s changed by --invalid-field %s: see %s", terminal.WasWere(c.Changed, "row"),
			j.Set.Rows.InvalidField, j.path(folder.Changed)), Event("changed"),
			zap.Int64("rows", c.Changed))
	}
	if t.Duplicates > 0 {
		text := fmt.Sprintf("%s another row of the same pair and lost against it (--duplicates %s)",
			terminal.HasHave(t.Duplicates, "row"), j.Set.Rows.Duplicates)
		if t.Differing > 0 {
			text += fmt.Sprintf("; %s other fields: see %s", terminal.HasHave(t.Differing, "row"),
				j.path(folder.Duplicates))
		}
		j.Log.Info(text, Event("duplicates"), zap.Int64("rows", t.Duplicates), zap.Int64("differing", t.Differing))
	}
}

// describeMutual logs the share of pairs that have both directions, unless it is so small that
// package source has warned of it.
func (j *Run) describeMutual(t stage.Totals) {
	if share := report.MutualShare(t); t.Pairs > 0 && (share >= source.FewMutual || j.Set.Rows.Mutual) {
		about := ""
		if t.PairsSampled {
			about = "about "
		}
		j.Log.Info(fmt.Sprintf("%s%.1f %% of the pairs have a row in each direction", about, 100*share),
			Event("mutual-share"), zap.Float64("share", share))
	}
}

// path returns where a file of the job is after the run has ended.
func (j *Run) path(name string) string {
	if j.home == "" || j.listed {
		return filepath.Join(j.Dir, name)
	}
	return filepath.Join(j.home, name)
}
