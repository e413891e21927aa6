package main

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/folder"
	"friendmigrate/cmd/friendmigrate/job"
	"friendmigrate/cmd/friendmigrate/report"
	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/cmd/friendmigrate/terminal"
	"friendmigrate/cmd/friendmigrate/verify"
	"friendmigrate/sink"
	"friendmigrate/source"
)

// verified is what a verify came to, to be put in words.
type verified struct {
	job *verifyJob
	verify.Found
	rejected int64
	lists    verify.Lists
	stop     job.Stop
	took     time.Duration
}

// look finds out what was found, and writes the lists of it.
func (r *verified) look() (err error) {
	if r.lists, err = r.job.verify.Write(); err != nil {
		return err
	}
	if r.Found, err = r.job.verify.Found(); err != nil {
		return err
	}
	if r.rejected = r.job.Counts.Rejected; r.job.pilot != nil {
		r.rejected, err = r.job.pilot.Rejected(r.job.stagedIn())
	}
	return err
}

// finished reports whether there is nothing left to ask.
func (r *verified) finished() bool { return r.stop.Err == nil && r.Done() }

// judge finds the exit code and puts the ending in words.
func (r *verified) judge() exit.Ending {
	codes := []exit.Code{r.stop.Code()}
	if r.Pending > 0 {
		codes = append(codes, exit.Unfinished)
	}
	if r.Missing+r.Different > 0 {
		codes = append(codes, exit.Different)
	}
	if r.Failed+r.rejected > 0 {
		codes = append(codes, exit.Exceptions)
	}
	e := exit.Ending{Code: gravestFound(codes...)}
	switch {
	case !r.finished():
		e = r.stop.Ending(e.Code, r.stoppedWords)
		e.Hint = r.resumeHint()
	case e.Code == exit.Done:
		e.What, e.Hint = r.doneWords(), "nothing to run"
	default:
		e.What = fmt.Sprintf("verified %s%s: %s%s", r.subject(), r.after(), r.words(), r.worth())
		e.Hint = r.nextHint(e.Code)
	}
	return e
}

// gravestFound is exit.Gravest for verify: what is missing or different speaks before what is not
// finished.
func gravestFound(codes ...exit.Code) exit.Code {
	code := exit.Gravest(codes...)
	if code == exit.Unfinished && slices.Contains(codes, exit.Different) {
		return exit.Different
	}
	return code
}

// subject says what was asked about.
func (r *verified) subject() string {
	if drawn, all := r.job.verify.Drawn(); drawn < all {
		return fmt.Sprintf("%s drawn from %s", terminal.Some(drawn, "edge"), terminal.Count(all))
	}
	return terminal.Some(r.Edges, "edge")
}

func (r *verified) after() string {
	calls := r.job.Client.Stats().Attempts
	if calls == 0 {
		return ""
	}
	return fmt.Sprintf(", %s in %s", terminal.Some(calls, "call"), terminal.Took(r.took))
}

func (r *verified) doneWords() string {
	if r.Edges == 0 {
		return "there is nothing to verify: no edge is expected"
	}
	with := ""
	if r.job.Set.Fields {
		with = " with their fields"
	}
	return fmt.Sprintf("verified: %s in place%s%s%s%s", allAre(r.Edges, r.subject()), with, r.unread(), r.after(),
		r.worth())
}

// worth says what the sample tells of the whole.
func (r *verified) worth() string {
	drawn, all := r.job.verify.Drawn()
	if drawn >= all {
		return ""
	}
	bound := verify.Bound(drawn, r.Missing+r.Different)
	return fmt.Sprintf("; with 95 %% confidence at most %.3g %% of all are not in place, %s (%s; seed %d)", 100*bound,
		terminal.Some(int64(bound*float64(all)), "edge"), verify.BoundName, r.job.verify.Seed)
}

// unread says of how many edges it is not known whether their fields are right.
func (r *verified) unread() string {
	if r.Unread == 0 {
		return ""
	}
	return fmt.Sprintf(" (%s of them by friend_check, with fields unread: friend_get's pages do not show them)",
		terminal.Count(r.Unread))
}

// words say what was found, of each kind that there is.
func (r *verified) words() string {
	var parts []string
	add := func(n int64, text string) {
		if n > 0 {
			parts = append(parts, text)
		}
	}
	add(r.InPlace, terminal.IsAre(r.InPlace, "edge")+" in place"+r.unread())
	add(r.Missing, fmt.Sprintf("%s missing%s, see %s", terminal.IsAre(r.Missing, "edge"), codeWords(r.MissingBy),
		r.lists.Missing))
	add(r.Different, fmt.Sprintf("%s different, see %s", terminal.IsAre(r.Different, "edge"), r.lists.Different))
	add(r.Failed, r.failedWords()+", see "+filepath.Join(r.job.Dir, folder.Failed+"."+r.job.Counts.ListFormat()))
	add(r.rejected, job.RejectedWords(r.rejected,
		job.SeeIfThere(filepath.Join(r.job.stagedIn(), folder.Rejected)), r.job.Counts))
	if sent := r.Pending - r.Unasked - sum(r.NoVerdict); sent > 0 {
		parts = append(parts, terminal.IsAre(sent, "edge")+" pending: the job has not sent "+terminal.Verb(sent, "it",
			"them"))
	}
	return strings.Join(parts, "; ")
}

func (r *verified) failedWords() string {
	text := terminal.Some(r.Failed, "edge") + " failed before"
	if there := r.there(); there != nil && *there > 0 {
		text += fmt.Sprintf(" (%s of them %s there after all)", terminal.Count(*there), terminal.Verb(*there, "is", "are"))
	}
	return text
}

// there is how many of the edges that failed are there after all; nil: a sample does not ask about
// them.
func (r *verified) there() *int64 {
	if drawn, all := r.job.verify.Drawn(); drawn < all {
		return nil
	}
	return &r.FailedThere
}

// codeWords name the codes that were answered instead of yes or no.
func codeWords(by map[int]int64) string {
	var parts []string
	for _, code := range slices.Sorted(maps.Keys(by)) {
		known, _ := sink.LookupCode(code)
		parts = append(parts, fmt.Sprintf("%s with code %d, %s", terminal.Count(by[code]), code, known.Advice))
	}
	if len(parts) == 0 {
		return ""
	}
	return " (" + strings.Join(parts, "; ") + ")"
}

func sum(by map[int]int64) (n int64) {
	for _, one := range by {
		n += one
	}
	return n
}

// allAre says "1 edge is" or "all 2 edges are" of so many things.
func allAre(n int64, subject string) string {
	if n == 1 {
		return subject + " is"
	}
	return "all " + subject + " are"
}

// nextHint is the command for what a finished verify has found.
func (r *verified) nextHint(code exit.Code) string {
	switch {
	case code == exit.Different:
		return r.differentHint()
	case code == exit.Unfinished:
		return r.importLine().String()
	case r.Failed > 0:
		return r.importLine().WithWord("--retry-failed").String() + " # after fixing what their codes say"
	}
	return r.lineAs("plan").Of(r.importLine().Inputs()...).String() + " # says why rows were rejected"
}

// importLine is the command that goes on with the job.
func (r *verified) importLine() exit.Line {
	l := r.lineAs("import")
	if shard := r.job.Set.Job.Shard; shard.Count > 0 && !settings.ShardByVariable(r.job.Env) {
		l = l.With("shard", shard.String())
	}
	if inputs := r.job.Inputs; len(inputs) > 0 {
		return l.Of(inputs...)
	}
	var inputs []string
	for _, in := range r.job.Counts.Inputs {
		inputs = append(inputs, in.Name)
	}
	if j := r.job.Journal; j != nil {
		usual := source.Options{}.Canonical()
		for _, name := range slices.Sorted(maps.Keys(j.Identity().Options)) {
			switch value := j.Identity().Options[name]; {
			case value == usual[name], !strings.HasPrefix(name, "--"):
			case value == "true":
				l = l.With(strings.TrimPrefix(name, "--"), "")
			default:
				l = l.With(strings.TrimPrefix(name, "--"), value)
			}
		}
	}
	if slices.Contains(inputs, "-") {
		l = l.From("/dev/null")
	}
	return l.Of(inputs...)
}

// differentHint is the import of what is missing, or the update of what is different, as a job of
// its own.
func (r *verified) differentHint() string {
	if drawn, all := r.job.verify.Drawn(); drawn < all {
		return r.job.Line().Without("sample").String() + " # finds all of them"
	}
	l := r.followUp(r.job.Set.Job, r.Missing, r.lists.Updatable)
	if l == nil {
		return r.probeHint(r.lists.Different)
	}
	list, then := r.lists.Missing, ""
	switch {
	case r.Missing == 0:
		list = r.lists.Different
	case r.Different > 0:
		then = " # then " + r.lists.Different
	}
	if tags := r.lists.IntegerTags; len(tags) > 0 {
		*l = l.With("integer-tags", strings.Join(tags, ","))
	}
	return l.Of(list).String() + then
}

// followUp is the command that brings back what is missing or else sets what is different; nil if
// neither can be done.
func (r *verified) followUp(of settings.Job, missing int64, updatable bool) *exit.Line {
	command, suffix := "import", "-missing"
	switch {
	case missing > 0:
	case updatable:
		command, suffix = "update", "-update"
	default:
		return nil
	}
	l := r.lineAs(command).Without("map", "format", "default-add-source", "integer-tags", "mutual", "duplicates")
	l = r.job.FollowUp(l, of, suffix)
	return &l
}

// probeHint is for edges that differ only in what friend_update can't set. Importing them is of use
// only where that overwrites.
func (r *verified) probeHint(list string) string {
	return r.lineAs("doctor").With("probe", "FROM,TO").String() + " # with two test accounts: importing " + list +
		" helps only if this app overwrites on re-import, which this tells"
}

// lineAs is the command line with another command, for the same app.
func (r *verified) lineAs(command string) exit.Line {
	return r.job.As(r.job.Line(), command, "json", "sample", "fields")
}

func (r *verified) stoppedWords(text string) string {
	if found := r.words(); found != "" {
		text += "; so far " + found
	}
	for _, code := range slices.Sorted(maps.Keys(r.NoVerdict)) {
		known, _ := sink.LookupCode(code)
		text += fmt.Sprintf("; %s without a verdict (code %d, %s)", terminal.IsAre(r.NoVerdict[code], "edge"), code,
			known.Advice)
	}
	if r.Unasked > 0 {
		text += fmt.Sprintf("; %s of %s still to be asked about", terminal.Count(r.Unasked),
			terminal.IsAre(r.job.verify.Asked(), "edge"))
	}
	return text
}

func (r *verified) resumeHint() string {
	if hint := r.job.SilentHint(r.stop); hint != "" {
		return hint
	}
	l := r.job.ResumeLine()
	if slices.Contains(r.job.Inputs, "-") && !r.job.own {
		l = l.From("/dev/null")
	}
	return l.String()
}

// verifyReport is the result for programs.
type verifyReport struct {
	Version int    `json:"version"`
	Shard   string `json:"shard,omitempty"`
	report.Verified
	Calls  int64          `json:"calls"` // of this run
	Fields bool           `json:"fields"`
	Shards []verifyReport `json:"shards,omitempty"` // of a verify of all shards: those that were asked about

	found    verify.Lists
	finished bool        // nothing is left to ask
	ending   exit.Ending // with what only the termination message needs
}

func (r *verified) report() verifyReport {
	e := r.judge()
	out := verifyReport{
		Version: 1, Calls: r.job.Client.Stats().Attempts, Fields: r.job.Set.Fields, ending: e,
		found: r.lists, finished: r.finished(),
		Verified: report.Verified{
			At: time.Now().UTC(), How: r.job.how(), Edges: r.Edges, InPlace: r.InPlace, Unread: r.Unread,
			Missing:   r.Missing,
			Different: r.Different, Failed: r.Failed, There: r.there(), Rejected: r.rejected, Pending: r.Pending,
			Unasked: r.Unasked, MissingBy: byCode(r.MissingBy), NoVerdict: byCode(r.NoVerdict),
			Lists: []string{r.lists.Missing, r.lists.Different}, Code: int(e.Code), What: e.What, Hint: e.Hint,
		},
	}
	if drawn, all := r.job.verify.Drawn(); drawn < all {
		out.Sample = &report.Sample{
			Drawn: drawn, Of: all, Seed: fmt.Sprint(r.job.verify.Seed), Confidence: verify.Confidence,
			BadAtMost: verify.Bound(drawn, r.Missing+r.Different), Bound: verify.BoundName,
		}
	}
	return out
}

func byCode(n map[int]int64) map[string]int64 {
	by := map[string]int64{}
	for code, edges := range n {
		by[fmt.Sprint(code)] = edges
	}
	return by
}
