package main

// eventName is the stable name of an entry of the log, for programs that read it.
type eventName string

// The events. README lists them from the table below.
const (
	eventSettings      eventName = "settings"
	eventListen        eventName = "listen"
	eventFresh         eventName = "fresh"
	eventJournalCut    eventName = "journal-cut"
	eventStageDamaged  eventName = "stage-damaged"
	eventInputGone     eventName = "input-gone"
	eventResume        eventName = "resume"
	eventRead          eventName = "read"
	eventInput         eventName = "input"
	eventObjectStorage eventName = "object-storage"
	eventStaged        eventName = "staged"
	eventMutualAdded   eventName = "mutual-added"
	eventMutualShare   eventName = "mutual-share"
	eventRejected      eventName = "rejected"
	eventChanged       eventName = "changed"
	eventDuplicates    eventName = "duplicates"
	eventRosterOver    eventName = "roster-over"
	eventPilot         eventName = "pilot"
	eventReopen        eventName = "reopen"
	eventRoom          eventName = "room"
	eventSend          eventName = "send"
	eventAsk           eventName = "ask"
	eventExport        eventName = "export"
	eventLeftOut       eventName = "left-out"
	eventShard         eventName = "shard"
	eventProbe         eventName = "probe"
	eventProgress      eventName = "progress"
	eventSlow          eventName = "slow"
	eventWaits         eventName = "waits"
	eventClient        eventName = "client"
	eventList          eventName = "list"
	eventProgressFile  eventName = "progress-file"
	eventMetricsFile   eventName = "metrics-file"
	eventEnd           eventName = "end"

	// Of the engine.
	eventHold           eventName = "hold"
	eventHoldEnd        eventName = "hold-end"
	eventRetry          eventName = "retry"
	eventHalve          eventName = "halve"
	eventGiveUp         eventName = "give-up"
	eventAccountRefused eventName = "account-refused"
)

// eventRow is what a reader of the log may rely on: the level, and which keys an entry can have beside time, level, msg and event. Keys are added, never
// changed.
type eventRow struct {
	name    eventName
	level   string
	keys    []string
	meaning string
}

// engineKeys are those of logEvent.
func engineKeys() []string { return []string{"code", "edges"} }

// events lists every event.
func events() []eventRow {
	return []eventRow{
		{eventSettings, "warn", nil, "something about the settings deserves a look"},
		{eventListen, "info", []string{"address"}, "metrics are served"},
		{eventFresh, "info", []string{"old"}, "`--fresh` moved an old state"},
		{eventJournalCut, "info", []string{"bytes"}, "a write that a kill or a power cut had torn was cut off"},
		{eventStageDamaged, "warn", []string{"error"}, "the staged input is built again"},
		{eventInputGone, "warn", []string{"why"}, "an input is gone; the staged copy is used"},
		{eventResume, "info", []string{"settled", "pending"}, "a job goes on"},
		{eventRead, "info", []string{"inputs"}, "reading the input begins"},
		{eventInput, "warn", nil, "something about the input deserves a look"},
		{eventObjectStorage, "warn", nil, "object storage answers badly, and is asked again"},
		{eventStaged, "info", []string{"rows", "edges", "accounts", "calls", "seconds"}, "the input is read and grouped"},
		{eventMutualAdded, "info", []string{"edges"}, "`--mutual` added reverse edges"},
		{eventMutualShare, "info", []string{"share"}, "share of pairs with a row in each direction"},
		{eventRejected, "warn", []string{"rows", "reasons"}, "rows are not sent"},
		{eventChanged, "warn", []string{"rows"}, "fields were dropped or cut"},
		{eventDuplicates, "info", []string{"rows", "differing"}, "rows lost against another of the same pair"},
		{eventRosterOver, "debug", []string{"account", "friends"}, "a roster over `--max-friends`"},
		{eventPilot, "info, warn", []string{"accounts", "unknown", "edges"}, "`--only-accounts` was read; some of its accounts have no edge"},
		{eventReopen, "info, warn", []string{"edges", "open"}, "failed edges are taken up again"},
		{eventRoom, "warn", []string{"free"}, "the volume may become full"},
		{eventSend, "info", []string{"sdkAppID", "rate", "workers"}, "sending begins"},
		{eventAsk, "info, warn", []string{"edges", "pending", "rate"}, "`verify` begins to ask, or a friend list disagrees with its FriendNum"},
		{eventExport, "info", []string{"accounts", "done", "rate"}, "`export` begins to read"},
		{eventLeftOut, "warn", nil, "`export` left out values of tags that an edge has no place for"},
		{eventShard, "info", nil, "`verify` goes on to another shard"},
		{eventProbe, "info", nil, "what `doctor --probe` does"},
		{eventProgress, "info", []string{"percent", "settled", "done", "total"}, "where the run stands, every 10 seconds; `done` in `verify` and `export`"},
		{eventSlow, "info", nil, "why it has become slow, where a bar shows the progress"},
		{eventWaits, "warn", nil, "nothing was read, sent or settled for a minute, and what is waited for"},
		{eventHold, "warn", engineKeys(), "nothing gets through; sending is held and tried again"},
		{eventHoldEnd, "info", engineKeys(), "calls get through again"},
		{eventRetry, "debug", engineKeys(), "edges are sent again later"},
		{eventHalve, "debug", engineKeys(), "a call is divided to find the edge that spoils it"},
		{eventGiveUp, "debug", engineKeys(), "the attempts of some edges are used up"},
		{eventAccountRefused, "debug", engineKeys(), "every edge of an account is refused"},
		{eventClient, "debug, warn", []string{
			"api", "from", "result", "took", "bytes", "info", "missing", "unreadable", "foreign", "repeated", "disputed", "unlisted", "times", "error",
		}, "one call (debug), an odd answer, a signature that can't be renewed"},
		{eventList, "warn", []string{"error"}, "the failed list could not be written meanwhile"},
		{eventProgressFile, "warn", []string{"error"}, "progress.json could not be written"},
		{eventMetricsFile, "warn", []string{"error"}, "metrics.prom could not be written"},
		{eventEnd, "info", []string{"code", "imported", "already", "failed", "rejected", "duplicate", "pending", "calls"}, "the run is over; the last line follows"},
	}
}
