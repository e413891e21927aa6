package events

import "go.uber.org/zap"

// The events. README lists them from the table below.
var (
	Settings      = named("settings")
	Listen        = named("listen")
	Fresh         = named("fresh")
	JournalCut    = named("journal-cut")
	StageDamaged  = named("stage-damaged")
	InputGone     = named("input-gone")
	Resume        = named("resume")
	Read          = named("read")
	Input         = named("input")
	ObjectStorage = named("object-storage")
	Staged        = named("staged")
	MutualAdded   = named("mutual-added")
	MutualShare   = named("mutual-share")
	Rejected      = named("rejected")
	Changed       = named("changed")
	Duplicates    = named("duplicates")
	RosterOver    = named("roster-over")
	Pilot         = named("pilot")
	Reopen        = named("reopen")
	Room          = named("room")
	Send          = named("send")
	Ask           = named("ask")
	Export        = named("export")
	LeftOut       = named("left-out")
	Shard         = named("shard")
	Probe         = named("probe")
	Progress      = named("progress")
	Stop          = named("stop")
	Pace          = named("pace")
	Waits         = named("waits")
	Client        = named("client")
	List          = named("list")
	ProgressFile  = named("progress-file")
	MetricsFile   = named("metrics-file")
	End           = named("end")

	// Of the engine.
	Hold           = named("hold")
	HoldEnd        = named("hold-end")
	Retry          = named("retry")
	Halve          = named("halve")
	GiveUp         = named("give-up")
	AccountRefused = named("account-refused")
)

const key = "event"

// named is the field with the stable name of an entry, for programs that read the log.
func named(event string) zap.Field { return zap.String(key, event) }

// row is what a reader of the log may rely on: the level, and which keys an entry can have beside
// time, level, msg and event. Keys are added, never changed.
type row struct {
	event   zap.Field
	level   string
	keys    []string
	meaning string
}

// engineKeys are those of Engine.
func engineKeys() []string { return []string{"code", "edges"} }

// table lists every event.
func table() []row {
	return []row{
		{Settings, "warn", nil, "something about the settings deserves a look"},
		{Listen, "info", []string{"address"}, "metrics are served"},
		{Fresh, "info", []string{"old"}, "`--fresh` moved an old state"},
		{JournalCut, "info", []string{"bytes"}, "a write that a kill or a power cut had torn was cut off"},
		{StageDamaged, "warn", []string{"error"}, "the staged input is built again"},
		{InputGone, "warn", []string{"why"}, "an input is gone; the staged copy is used"},
		{Resume, "info", []string{"settled", "pending"}, "a job goes on"},
		{Read, "info", []string{"inputs"}, "reading the input begins"},
		{Input, "warn", nil, "something about the input deserves a look"},
		{ObjectStorage, "warn", nil, "object storage answers badly, and is asked again"},
		{Staged, "info", []string{"rows", "edges", "accounts", "calls", "seconds"}, "the input is read and grouped"},
		{MutualAdded, "info", []string{"edges"}, "`--mutual` added reverse edges"},
		{MutualShare, "info", []string{"share"}, "share of pairs with a row in each direction"},
		{Rejected, "warn", []string{"rows", "reasons"}, "rows are not sent"},
		{Changed, "warn", []string{"rows"}, "fields were dropped or cut"},
		{Duplicates, "info", []string{"rows", "differing"}, "rows lost against another of the same pair"},
		{RosterOver, "debug", []string{"account", "friends"}, "a roster over `--max-friends`"},
		{Pilot, "info, warn", []string{"accounts", "unknown", "edges"},
			"`--only-accounts` was read; some of its accounts have no edge"},
		{Reopen, "info, warn", []string{"edges", "open"}, "failed edges are taken up again"},
		{Room, "warn", []string{"free"}, "the volume may become full"},
		{Send, "info", []string{"sdkAppID", "rate", "workers"}, "sending begins"},
		{Ask, "info, warn", []string{"edges", "pending", "rate"},
			"`verify` begins to ask, or a friend list disagrees with its FriendNum"},
		{Export, "info", []string{"accounts", "done", "rate"}, "`export` begins to read"},
		{LeftOut, "warn", nil, "`export` left out values of tags that an edge has no place for"},
		{Shard, "info", nil, "`verify` goes on to another shard"},
		{Probe, "info", nil, "what `doctor --probe` does"},
		{Progress, "info", []string{"percent", "settled", "done", "total"},
			"where the run stands, after 1 and 5 seconds and then every 30; `done` in `verify` and `export`"},
		{Stop, "info", nil, "a signal has come, and what is waited for"},
		{Pace, "info, warn", []string{"rate", "paused"}, "`friendmigrate pace` changed the pace"},
		{Waits, "warn", nil, "nothing was read, sent or settled for a minute, and what is waited for"},
		{Hold, "warn", engineKeys(), "nothing gets through; sending is held and tried again"},
		{HoldEnd, "info", engineKeys(), "calls get through again"},
		{Retry, "debug", engineKeys(), "edges are sent again later"},
		{Halve, "debug", engineKeys(), "a call is divided to find the edge that spoils it"},
		{GiveUp, "debug", engineKeys(), "the attempts of some edges are used up"},
		{AccountRefused, "debug", engineKeys(), "every edge of an account is refused"},
		{Client, "debug, warn", []string{
			"api", "from", "result", "took", "bytes", "info", "missing", "unreadable", "foreign", "repeated",
			"disputed", "unlisted", "times", "error",
		}, "one call (debug), an odd answer, a signature that can't be renewed"},
		{List, "warn", []string{"error"}, "the failed list could not be written meanwhile"},
		{ProgressFile, "warn", []string{"error"}, "progress.json could not be written"},
		{MetricsFile, "warn", []string{"error"}, "metrics.prom could not be written"},
		{End, "info", []string{"code", "imported", "already", "failed", "rejected", "duplicate", "pending", "calls"},
			"the run is over; the last line follows"},
	}
}
