package events

import (
	"strings"

	"go.uber.org/zap"
)

// The events. The topic "watching" lists them in this order.
var (
	Settings   = event("settings", "warn", "something about the settings deserves a look", "")
	Listen     = event("listen", "info", "metrics are served", "address")
	Fresh      = event("fresh", "info", "`--fresh` moved an old state", "old")
	JournalCut = event("journal-cut", "info", "a write that a kill or a power cut had torn was cut off",
		"bytes")
	StageDamaged  = event("stage-damaged", "warn", "the staged input is built again", "error")
	InputGone     = event("input-gone", "warn", "an input is gone; the staged copy is used", "why")
	Resume        = event("resume", "info", "a job goes on", "settled pending")
	Read          = event("read", "info", "reading the input begins", "inputs")
	Input         = event("input", "warn", "something about the input deserves a look", "")
	ObjectStorage = event("object-storage", "warn", "object storage answers badly, and is asked again", "")
	Staged        = event("staged", "info", "the input is read and grouped", "rows edges accounts calls seconds")
	MutualAdded   = event("mutual-added", "info", "`--mutual` added reverse edges", "edges")
	MutualShare   = event("mutual-share", "info", "share of pairs with a row in each direction", "share")
	Rejected      = event("rejected", "warn", "rows are not sent", "rows reasons")
	Changed       = event("changed", "warn", "fields were dropped or cut", "rows")
	Duplicates    = event("duplicates", "info", "rows lost against another of the same pair", "rows differing")
	RosterOver    = event("roster-over", "debug", "a roster over `--max-friends`", "account friends")
	Pilot         = event("pilot", "info, warn", "`--only-accounts` was read; some of its accounts have no edge",
		"accounts unknown edges")
	Reopen = event("reopen", "info, warn", "failed edges are taken up again", "edges open")
	Room   = event("room", "warn", "the volume may become full", "free")
	Send   = event("send", "info", "sending begins", "sdkAppID rate workers")
	Ask    = event("ask", "info, warn", "`verify` begins to ask, or a friend list disagrees with its FriendNum",
		"edges pending rate")
	Export  = event("export", "info", "`export` begins to read", "accounts done rate")
	LeftOut = event("left-out", "warn", "`export` left out values of tags that an edge has no place for",
		"")
	Probe    = event("probe", "info", "what `doctor --probe` does", "")
	Progress = event("progress", "info", "where the run stands, after 1 and 5 seconds and then every 30; "+
		"`done` in `verify` and `export`",
		"percent settled done total")
	Stop  = event("stop", "info", "a signal has come, and what is waited for", "")
	Pace  = event("pace", "info, warn", "`friendmigrate pace` changed the pace", "rate paused")
	Waits = event("waits", "warn", "nothing was read, sent or settled for a minute, and what is waited for",
		"")
	Hold           = event("hold", "warn", "nothing gets through; sending is held and tried again", "code edges")
	HoldEnd        = event("hold-end", "info", "calls get through again", "code edges")
	Retry          = event("retry", "debug", "edges are sent again later", "code edges")
	Halve          = event("halve", "debug", "a call is divided to find the edge that spoils it", "code edges")
	GiveUp         = event("give-up", "debug", "the attempts of some edges are used up", "code edges")
	AccountRefused = event("account-refused", "debug", "every edge of an account is refused", "code edges")
	Client         = event("client", "debug, warn",
		"one call (debug), an odd answer, a signature that can't be renewed",
		"api from result took bytes info missing unreadable foreign repeated disputed unlisted times error")
	List         = event("list", "warn", "the failed list could not be written meanwhile", "error")
	ProgressFile = event("progress-file", "warn", "progress.json could not be written", "error")
	MetricsFile  = event("metrics-file", "warn", "metrics.prom could not be written", "error")
	End          = event("end", "info", "the run is over; the last line follows",
		"code imported already failed rejected duplicate pending calls")
)

const key = "event"

// row is what a reader of the log may rely on: the level, and which keys an entry can have beside
// time, level, msg and event. Keys are added, never changed.
type row struct {
	event   zap.Field
	level   string
	meaning string
	keys    []string
}

var table []row

// event adds an event to the table, and returns the field with its stable name, for programs that
// read the log. keys are separated by spaces.
func event(name, level, meaning, keys string) zap.Field {
	field := zap.String(key, name)
	table = append(table, row{field, level, meaning, strings.Fields(keys)})
	return field
}
