package report

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"friendmigrate/checkpoint"
	"friendmigrate/cmd/friendmigrate/terminal"
	"friendmigrate/migrate/disk"
	"friendmigrate/source"
)

// Version of the JSON form. It changes when a key changes its meaning or goes.
const Version = 1

// Report is the report of a job: its sums and related facts.
type Report struct {
	Version int    `json:"version"`
	Program string `json:"program"`
	Job     Job    `json:"job"`
	Ending  Ending `json:"ending"`
	Sums
	ShardsAbsent     int64            `json:"shardsAbsent,omitempty"` // shards of the job without a state here
	ShardsMixed      string           `json:"shardsMixed,omitempty"`  // says which shards are of different jobs
	Pilot            *Pilot           `json:"pilot,omitempty"`
	FailedByCode     []Code           `json:"failedByCode"`
	RejectedByReason map[string]int64 `json:"rejectedByReason"`
	Plan             Plan             `json:"plan"`
	Calls            Calls            `json:"calls"`
	Runs             []Run            `json:"runs"`
	Lists            []string         `json:"lists"`
	Rehearsal        *Rehearsal       `json:"rehearsal,omitempty"`
	// result of the last verify, if the job has sent nothing since
	Verified *Verified `json:"verified,omitempty"`
	Undone   *Undone   `json:"undone,omitempty"` // progress of the undo; absent: none has begun

	Series *Series `json:"-"` // for the page; nil: not known
}

// Job identifies the job.
type Job struct {
	SDKAppID uint64            `json:"sdkAppID"`
	Target   string            `json:"target"`
	Shard    string            `json:"shard,omitempty"`
	Created  time.Time         `json:"created"`
	Inputs   []Input           `json:"inputs"`
	LeftOut  *source.LeftOut   `json:"leftOut,omitempty"` // files not read in folders and prefixes; absent: none
	Options  map[string]string `json:"options"`
}

// Input is one input of the job.
type Input struct {
	Name   string `json:"name"`
	Bytes  int64  `json:"bytes"`
	Digest string `json:"sha256"`
}

// Ending says how the last run ended.
type Ending struct {
	At   time.Time `json:"at"`
	Code int       `json:"code"`
	What string    `json:"what"`
	Hint string    `json:"hint,omitempty"`

	Running bool `json:"running,omitempty"` // it has not ended yet; Code and What say so too
}

// Pilot counts the outcomes of the accounts of --only-accounts.
type Pilot struct {
	Accounts int64 `json:"accounts"` // named
	Unknown  int64 `json:"unknown"`  // of those, accounts without an edge in the input
	Edges    int64 `json:"edges"`
	Pending  int64 `json:"pending"`
	Failed   int64 `json:"failed"`
}

// Code counts the edges that failed with one ResultCode. Examples are only for the page, because
// they name accounts.
type Code struct {
	Code     int                  `json:"code"`
	Edges    int64                `json:"edges"`
	Advice   string               `json:"advice,omitempty"`
	Examples []checkpoint.Failure `json:"-"` // at most mostExamples
}

const mostExamples = 3

// Plan is what the job had to do.
type Plan struct {
	Accounts    int64 `json:"accounts"`
	Edges       int64 `json:"edges"` // including added ones
	Calls       int64 `json:"calls"` // if nothing has to be sent twice and no call is too large
	OverFriends int64 `json:"rostersOverMaxFriends"`
	OverGroups  int64 `json:"accountsOver32Groups"`
	Differing   int64 `json:"differingDuplicates"`
	Changed     int64 `json:"changedFields"`
	// rosters of 1, 2-10, 11-100, 101-1000 and more friends; all 0: not known
	RosterSizes [5]int64 `json:"rosterSizes"`
	MutualShare float64  `json:"mutualShare"` // share of the pairs with a row in each direction

	ManyLines source.ManyLines `json:"recordsOfManyLines"`
}

// Calls counts the calls of all runs whose end was recorded.
type Calls struct {
	Sent      int64 `json:"sent"`
	Retried   int64 `json:"retried"`
	Throttled int64 `json:"throttled"`
	Uncertain int64 `json:"uncertain"`
	Halved    int64 `json:"halved"`
	Holds     int64 `json:"holds"`
	Renewals  int64 `json:"signaturesRenewed"`
	Paused    int64 `json:"pausedSeconds"` // by friendmigrate pace
}

// Run is one run of the job. A run without an end is running, or was killed.
type Run struct {
	Started time.Time  `json:"started"`
	Ended   *time.Time `json:"ended,omitempty"`
	Code    *int       `json:"code,omitempty"`
	Running bool       `json:"running,omitempty"`
	Calls   int64      `json:"calls"`
	Version string     `json:"version"`
	Workers int        `json:"workers"`
}

// Rehearsal has the simulated service's own counts, to compare with the job's.
type Rehearsal struct {
	Edges         int64    `json:"edgesInService"`
	Calls         int64    `json:"calls"`
	Refused       int64    `json:"refusedForPace"`
	BusiestSecond int64    `json:"busiestSlidingSecond"`
	Overlaps      int64    `json:"overlappingCalls"`
	Disagreements []string `json:"disagreements"`
}

// WriteJSON writes the report as JSON for programs.
func (r Report) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(r)
}

// Undone is the progress of the undo of a job.
type Undone struct {
	At      time.Time `json:"at"`    // it began
	Edges   int64     `json:"edges"` // that the job has imported
	Deleted int64     `json:"deleted"`
	Failed  int64     `json:"failed"`
	Pending int64     `json:"pending"`
	Running int64     `json:"-"` // undos at work
}

// Left returns how many edges are still to be deleted.
func (u Undone) Left() int64 { return u.Failed + u.Pending }

// How returns in a word or two whether the job is undone, or a part of it.
func (u Undone) How() string {
	if u.Deleted < u.Edges {
		return "undone in part"
	}
	return "undone"
}

func (u Undone) String() string {
	text := fmt.Sprintf("%s of %s deleted", terminal.Count(u.Deleted), terminal.IsAre(u.Edges, "imported edge"))
	if u.Failed > 0 {
		text += fmt.Sprintf(", %s failed", terminal.Count(u.Failed))
	}
	if u.Pending > 0 {
		text += fmt.Sprintf(", %s pending", terminal.Count(u.Pending))
	}
	if u.Running > 0 {
		text += "; the undo goes on"
	}
	return text
}

// Verified is the result of a verify. Edges is the sum of InPlace, Missing, Different, Failed and
// Pending; rejected rows are no edges.
type Verified struct {
	At      time.Time `json:"at"`
	How     string    `json:"how"` // friend_check or friend_get
	Edges   int64     `json:"edges"`
	InPlace int64     `json:"inPlace"`
	Unread  int64     `json:"fieldsUnread"` // of InPlace: --fields could not read them
	// in place in the job's count, but not in the service
	Missing   int64 `json:"missing"`
	Deleted   int64 `json:"deletedByUndo"`        // of Missing: not lost, and not in the list
	Perhaps   int64 `json:"perhapsDeletedByUndo"` // of Missing and in the list: by a call without an answer
	Different int64 `json:"different"`            // in place with other fields
	Failed    int64 `json:"failed"`               // in the job, before
	// of Failed, edges that the service has after all; absent: not asked
	There    *int64 `json:"failedButThere,omitempty"`
	Rejected int64  `json:"rejected"` // rows that were never sent
	// not sent by the job, not asked about, or without a verdict
	Pending int64 `json:"pending"`
	Unasked int64 `json:"unasked"` // of Pending: still to be asked about
	// of Missing, by the code that the service answers instead of yes or no
	MissingBy map[int]int64 `json:"missingByCode"`
	NoVerdict map[int]int64 `json:"noVerdict"` // of Pending, by temporary code
	Sample    *Sample       `json:"sample,omitempty"`
	Lists     []string      `json:"lists"`
	Code      int           `json:"code"`
	What      string        `json:"what"`
	Hint      string        `json:"hint"`
}

// Sample says what a sample shows.
type Sample struct {
	Drawn      int64   `json:"drawn"`
	Of         int64   `json:"of"`
	Seed       string  `json:"seed"`
	BadAtMost  float64 `json:"badAtMost"` // share of all
	Confidence float64 `json:"confidence"`
	Bound      string  `json:"bound"`
}

// Lost returns how many edges are missing that undo is not known to have deleted.
func (v *Verified) Lost() int64 { return v.Missing - v.Deleted }

// Asked returns how many edges that the job counts as in place have a verdict.
func (v *Verified) Asked() int64 { return v.InPlace + v.Missing + v.Different }

// String returns the result in one line.
func (v *Verified) String() string {
	text := terminal.Count(v.InPlace) + " in place"
	if v.Unread > 0 {
		text += fmt.Sprintf(" (the fields of %s not compared)", terminal.Count(v.Unread))
	}
	text += fmt.Sprintf(", %s missing", terminal.Count(v.Missing))
	if v.Deleted > 0 {
		text += fmt.Sprintf(" (%s deleted by undo)", terminal.Count(v.Deleted))
	}
	text += fmt.Sprintf(", %s different", terminal.Count(v.Different))
	for _, one := range []struct {
		n    int64
		what string
	}{{v.Failed, "failed before"}, {v.Rejected, "rejected"}, {v.Pending, "pending"}} {
		if one.n > 0 {
			text += fmt.Sprintf(", %s %s", terminal.Count(one.n), one.what)
		}
	}
	return text
}

// Read reads what WriteJSON wrote.
func Read(name string) (Report, error) { return disk.ReadJSON[Report](name) }
