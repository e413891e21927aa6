package answers

// consequence is what an answer leads to. The tables below are written from the product's contract
// ("What each answer leads to") and the vendor's pages, not from the program's own table: each is
// checked against the other.
type consequence string

// What the answer to a whole call leads to.
const (
	again    consequence = "again"     // with backoff; the account's order and seriality hold, others go on
	slow     consequence = "slow down" // then climb back; not an attempt
	halve    consequence = "halve"     // until the offenders are alone; they fail, the rest lands
	nobody   consequence = "nobody"    // the account does not exist: its edges fail, no more calls for it
	each     consequence = "each"      // as for every item of it
	sign     consequence = "sign anew" // once for all workers; refused again: exit 12
	stop     consequence = "stop"      // exit 12 at once
	wrongApp consequence = "wrong app" // on every item of the first 20 calls: exit 12
	unknown  consequence = "unknown"   // three attempts, then the edges fail, but only while others get through
	silence  consequence = "silence"   // no answer of the API: again, and at the end pending
	wrongWay consequence = "wrong way" // before the first success exit 12; later as silence
)

// What an item leads to.
const (
	failed  consequence = "failed" // kept with code and text
	already consequence = "already"
	later   consequence = "later" // only those items again
)

// answer is a line of the contract: a code, and what it leads to on a whole call and on an item.
// hint is a word that the hint of an exit 12 must have.
type answer struct {
	code       int
	call, item consequence
	hint       string
}

var contract = []answer{
	{30001, halve, failed, ""},
	{30002, wrongApp, failed, "--sdk-app-id"},
	{30003, nobody, failed, ""},
	{30004, stop, failed, "--identifier"},
	{30005, unknown, failed, ""},
	{30006, again, later, ""},
	{30007, again, later, ""},
	{30008, again, later, ""},
	{30009, unknown, failed, ""},
	{30010, each, failed, ""},
	{30011, each, failed, ""},
	{30012, unknown, failed, ""},
	{30013, unknown, failed, ""},
	{30014, unknown, failed, ""},
	{30015, unknown, already, ""},
	{30515, unknown, failed, ""},
	{30516, unknown, failed, ""},
	{30525, unknown, failed, ""},
	{30539, unknown, failed, ""},
	{30540, again, failed, ""}, // the vendor: too frequent, it passes
	{30614, unknown, failed, ""},
	{31704, unknown, failed, ""},
	{31707, slow, later, ""}, // deleting too often
	{31804, unknown, failed, ""},
	{32216, unknown, failed, ""},

	{40006, again, failed, ""},

	{60002, stop, failed, "--endpoint"},
	{60003, stop, failed, "on the way"},
	{60004, sign, failed, "--secret-key-file"},
	{60005, sign, failed, "--secret-key-file"},
	{60006, stop, failed, "--sdk-app-id"},
	{60007, slow, failed, ""},
	{60008, again, failed, ""},
	{60009, stop, failed, "--endpoint"},
	{60010, stop, failed, "--identifier"},
	{60011, slow, failed, ""},
	{60012, stop, failed, "SDKAppID"},
	{60013, again, failed, ""},
	{60014, again, failed, ""},
	{60015, stop, failed, "on the way"},
	{60016, stop, failed, "console"},
	{60017, stop, failed, "console"},
	{60018, slow, failed, ""},
	{60019, slow, failed, ""},
	{60020, stop, failed, "plan"},
	{60021, stop, failed, "address"},
	{60025, stop, failed, "--sdk-app-id"},
	{60026, stop, failed, "--region"},
	{60027, stop, failed, "product type"},
	{60028, stop, failed, "trial"},

	{70001, sign, failed, "clock"},
	{70002, stop, failed, "signature"},
	{70003, stop, failed, "key"},
	{70005, stop, failed, "--secret-key-file"},
	{70009, stop, failed, "--secret-key-file"},
	{70013, stop, failed, "--identifier"},
	{70014, stop, failed, "--sdk-app-id"},
	{70016, stop, failed, "--sdk-app-id"},
	{70020, stop, failed, "--region"},
	{70050, stop, failed, "wait a minute"},
	{70051, stop, failed, "--identifier"},
	{70052, sign, failed, "--identifier"},
	{70107, nobody, failed, ""}, // of a From_Account; of the identifier it stops: TestIdentifierUnknown
	{70114, stop, failed, "--identifier"},
	{70169, again, failed, ""},
	{70202, again, failed, ""},
	{70206, unknown, failed, ""},
	{70346, stop, failed, "--secret-key-file"},
	{70398, stop, failed, "plan"},
	{70399, unknown, failed, ""},
	{70402, stop, failed, "--sdk-app-id"},
	{70403, stop, failed, "--identifier"},
	{70404, stop, failed, "client"},
	{70500, again, failed, ""},
	{71000, unknown, failed, ""},
	{72000, stop, failed, "plan"},
	{72001, stop, failed, "console"},
	{72002, stop, failed, "plan"},
	{72010, slow, failed, ""},
	{72011, stop, failed, "console"},
	{72012, stop, failed, "console"},
	{80005, stop, failed, "arrears"},
}

// unlisted are codes that no table knows, or that the vendor leaves to the customer's webhooks.
var unlisted = []int{-1, 1, 12345, 29999, 30000, 30016, 30500, 30520, 38000, 38500, 39000, 60000, 60022, 60023, 60024, 60029, 70401, 79999, 99999, 1<<31 - 1}

// statuses are what HTTP itself may answer. The API answers 200 whatever happens, so another status
// is from somewhere before it.
var statuses = map[int]consequence{
	429: slow,
	413: halve,

	300: wrongWay, 301: wrongWay, 302: wrongWay, 303: wrongWay, 304: wrongWay, 307: wrongWay, 308: wrongWay,
	400: wrongWay, 401: wrongWay, 403: wrongWay, 404: wrongWay, 405: wrongWay,
	402: wrongWay, 406: wrongWay, 407: wrongWay, 410: wrongWay, 418: wrongWay, 451: wrongWay, // not in the contract; as their neighbours

	500: silence, 501: silence, 502: silence, 503: silence, 504: silence, 505: silence, 520: silence, 524: silence, 599: silence,
	408: silence, 425: silence, // say themselves that they pass
	201: silence, 202: silence, 203: silence, 204: silence, 206: silence, // whatever their body is, not the API's
}
