package simulator

import (
	"slices"
	"strings"
)

// Flag is the text form of one field of Config, for a command line.
type Flag struct {
	Name  string // without dashes
	Value string // what the value is: DURATION, SHARE, ...; empty: a switch, true or false, that may stand without a value
	Usage string
	Group string // of flags that belong together
	Set   func(text string) error
}

// Flags lists a flag for every field of c but SDKAppID, Key, Identifier, Accounts and the hooks.
// Set writes into c, each time the whole field: a flag that is given again replaces what it said
// before. Nothing is read or opened before Set is called; values of the form @FILE are read then, a
// line for each entry.
func (c *Config) Flags() []Flag {
	return slices.Concat(
		group("the service and its app", c.serviceFlags()),
		group("limits", c.limitFlags()),
		group("readings of what the vendor leaves open", c.readingFlags()),
		group("faults of calls and items", c.shareFlags()),
		group("outages and signatures", c.timedFlags()),
		group("accounts, edges and lists that are special", c.specialFlags()),
	)
}

func group(name string, flags []Flag) []Flag {
	for i := range flags {
		flags[i].Group = name
	}
	return flags
}

// flag is a flag that sets a field to what parse makes of its text. A wrong text leaves the field
// as it was.
func flag[T any](name, value, usage string, into *T, parse func(string) (T, error)) Flag {
	return Flag{Name: name, Value: value, Usage: usage, Set: func(text string) error {
		v, err := parse(text)
		if err == nil {
			*into = v
		}
		return err
	}}
}

func (c *Config) serviceFlags() []Flag {
	return []Flag{
		flag("seed", "N", "draws every share; the same seed and the same calls per account meet the same faults",
			&c.Seed, number),
		flag("latency", "DURATION", "time that the service works on a call", &c.Latency, duration),
		flag("jitter", "DURATION", "at most so much more, evenly spread", &c.Jitter, duration),
		flag("compact", "", "keep the graph as hashes only (11 bytes an edge), for tens of millions of edges; "+
			"friend_get and /_sim/graph do not work", &c.Compact, toggle),
		flag("missing-accounts", "@FILE|ID,...", "accounts that do not exist", &c.Missing, set),
		flag("missing-accounts-share", "SHARE", "share of all accounts that do not exist", &c.MissingShare, portion),
		flag("refused-accounts", "@FILE|ID,...", "accounts that multiaccount_import refuses", &c.Refused, set),
		flag("custom-tags", "any|@FILE|TAG,...", "custom friend fields created in the console; another one in any "+
			"item refuses its whole call with 30001", &c.CustomTags, tags),
		flag("missing-tags", "@FILE|TAG,...", "custom friend fields that were not created", &c.MissingTags, set),
		flag("admin-removed", "N-M,...", "the admin account does not exist from call N on, until call M: 70107; "+
			"without M for good", &c.AdminRemoved, commas(callSpan)),
		flag("key-change", "TIME=FILE,...", "from TIME on only the secret key in FILE signs; the one before is "+
			"answered 70009", &c.KeyChanges, commas(keyChange)),
	}
}

func (c *Config) limitFlags() []Flag {
	return []Flag{
		flag("limit", "N", "calls in any sliding second, all APIs together; 0: no limit", &c.Limit, number),
		flag("limit-changes", "TIME=N,...", "from TIME on another limit", &c.LimitChanges, commas(limitChange)),
		flag("limit-per-api", "", "a counter of its own for each API", &c.PerAPI, toggle),
		flag("limit-counts-refused", "", "calls that were refused for the limit count too", &c.CountRefused, toggle),
		flag("account-limit", "N", "a second limit for account_check and account imports; 0: the vendor's 100, where "+
			"there is a limit", &c.AccountLimit, number),
		flag("delete-limit", "N", "a second limit for friend_delete, over which it is answered 31707; 0: none",
			&c.DeleteLimit, number),
		flag("throttle-code", "CODE", "answer over the limit: 60007, 60011, 60018, 60019, 72010, or 429 for the "+
			"HTTP status", &c.ThrottleCode, number),
		flag("retry-after", "TEXT", "Retry-After of HTTP 429 and 503", &c.RetryAfter, plain),
		flag("volume", "N", "60028 for every call after the first N; 0: never", &c.Volume, number),
		flag("max-accounts", "N", "accounts that may be imported (the trial edition has 100), then 70398; "+
			"0: no limit", &c.MaxAccounts, number),
		flag("max-friends", "N", "friends of a user (3000; the trial edition has 20); below 0: no limit",
			&c.MaxFriends, number),
		flag("max-groups", "N", "groups of a user (32); below 0: no limit", &c.MaxGroups, number),
		flag("max-body", "BYTES", "HTTP 413 for larger requests", &c.MaxBody, number),
	}
}

func (c *Config) readingFlags() []Flag {
	return []Flag{
		choice("reimport", "success|already|exist|sister",
			"answer to a friend that is there: 0, 30015, 30001 with Friend_Exist, or with Already_Exist", &c.Reimport),
		either("reimport-fields", "overwrite|keep", "what becomes of the fields of a friend that is imported again",
			&c.KeepFields),
		choice("duplicate-to", "each|once|item|call",
			"a To_Account twice in a call: each has a ResultItem; the last counts; later ones fail; the call fails",
			&c.DuplicateTo),
		choice("self-to", "item|call|accept", "From_Account as a To_Account: the item fails; the call fails; accepted",
			&c.SelfTo),
		choice("order", "request|shuffled|reversed|sorted", "order of ResultItem and InfoItem", &c.Order),
		flag("page-size", "N", "friends on a page of friend_get (100)", &c.PageSize, number),
		either("add-time", "now|absent", "what an omitted AddTime becomes", &c.NoAddTime),
		either("full-refuses", "item|call", "whether 30010 and 30011 are said of the items that don't fit or of the "+
			"whole call", &c.FullRefuses),
		either("conflict-level", "call|item", "whether 30008 is said of the whole call or of each item",
			&c.ConflictItems),
		either("fail-account", "present|absent", "whether answers with failed items have Fail_Account",
			&c.NoFailAccount),
		flag("request-id", "", "answers carry a RequestId", &c.RequestID, toggle),
		flag("busy-after", "DURATION", "an account stays busy (30008) for so long after a call", &c.BusyAfter,
			duration),
	}
}

// shareFlags has two flags for each fault: as it is, and -applied, where the service did what it was
// asked for and only its answer is lost or wrong.
func (c *Config) shareFlags() (flags []Flag) {
	for _, s := range c.shared() {
		if s.plain != nil {
			flags = append(flags, s.field("fault-"+s.flag, s.usage, s.plain),
				s.field("fault-"+s.flag+"-applied", "the same although the call was done", s.applied))
		} else {
			flags = append(flags, s.field("fault-"+s.flag, s.usage, s.applied))
		}
	}
	return append(flags,
		flag("fault-window", "FROM-TO", "shares hold inside this time only", &c.Window, window),
		flag("fault-apis", "API,...", "shares hit these APIs only: "+strings.Join(apiNames(), " "), &c.APIs, apis),
	)
}

// field is the flag of a field of shares.
func (s shared) field(name, usage string, field any) Flag {
	switch field := field.(type) {
	case *map[int]float64:
		return flag(name, "CODE=SHARE,...", usage, field, shares(s.kind, func(f Fault) int { return f.Code }))
	case *map[string]float64:
		return flag(name, "KIND=SHARE,...", usage, field, shares(s.kind, func(f Fault) string { return f.Name }))
	}
	return flag(name, "SHARE", usage, field.(*float64), portion)
}

func (c *Config) timedFlags() []Flag {
	return []Flag{
		flag("outage", "FROM-TO[=FAULT],...", "every call in that time meets FAULT: refuse (default), reset, close, "+
			"stall, http:503, code:30006, body:empty, spike:5s, ...; with +applied it was done",
			&c.Outages, commas(outage)),
		flag("sig-expire", "TIME,...", "at these times all signatures made before are declared expired: 70001",
			&c.SigExpire, commas(duration)),
		flag("sig-revoke", "TIME,...", "at these times all signatures made before are declared revoked: 70052",
			&c.SigRevoke, commas(duration)),
	}
}

func (c *Config) specialFlags() []Flag {
	return []Flag{
		flag("hot", "@FILE|ID,...", "From_Accounts whose friend_import is answered 30008", &c.Hot, set),
		flag("hot-share", "SHARE", "share of all accounts that are hot", &c.HotShare, portion),
		flag("hot-window", "FROM-TO", "accounts are hot inside this time only", &c.HotWindow, window),
		flag("poison", "@FILE|TO|FROM->TO,...", "edges that refuse the whole call they are in with 30001",
			&c.Poison, set),
		flag("poison-share", "SHARE", "share of all edges that are poisonous", &c.PoisonShare, portion),
		flag("poison-info", "TEXT", "its ErrorInfo", &c.PoisonInfo, plain),
		flag("odd-lists", "@FILE|ID,...", "accounts whose friend lists are odd by the flags that follow; without "+
			"it: all", &c.OddLists, set),
		flag("friend-num-off", "N", "FriendNum says so many more friends than there are, or less", &c.FriendNumOff,
			number),
		flag("empty-pages", "N", "so many pages without friends before each page that has some", &c.EmptyPages, number),
		flag("endless-lists", "", "behind the last friend the list begins again", &c.EndlessLists, toggle),
		flag("other-tags", "@FILE|TAG,...", "tags that friend_import does not have, with a value for each friend",
			&c.OtherTags, set),
	}
}
