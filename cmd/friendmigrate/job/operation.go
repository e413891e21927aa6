package job

import (
	"context"

	"friendmigrate/migrate"
)

// Operation holds what differs between import, update and undo: the commands that go through a plan
// of rosters, send a call for each chunk and record what became of its edges. Run holds what they
// share.
type Operation struct {
	Command string // its name
	Folder  string // folder inside the state folder for its journal, lists and report; "": the state folder itself

	Doing    string // what it does, in a word: "updating"; "": "sending"
	Did      string // what it has done to an edge, in a word: "updated"; "": "imported"
	Settled  string // what a settled edge is, as in "all 3 edges are in place"
	Already  string // what an edge is that needed nothing, as in "3 were there already"
	SentWord string // as in "nothing was sent"
	Suffix   string // of the state folder that hints name for a job of its own

	// Prepare opens Journal, Stage and Client of the run and sends nothing. nil: Run.Prepare, which
	// stages the inputs.
	Prepare func(context.Context, *Run) error
	// Caller returns the Caller that sends the chunks.
	Caller func(*Run) migrate.Caller
	// EdgeBytes returns the JSON bytes of an edge in a call. nil: those in friend_import.
	EdgeBytes func(*migrate.Edge) int
	// Part returns which of the n edges of a chunk the operation is about; see migrate.Only. nil:
	// all.
	Part func(ordinal int64, n int) (migrate.EdgeSet, error)
}
