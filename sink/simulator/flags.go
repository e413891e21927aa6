package simulator

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// Flag is the text form of one field of Config, for a command line.
type Flag struct {
	Name  string // without dashes
	Value string // what the value is, for the help text: DURATION, SHARE, ...; empty: a switch, true or false, that may stand without a value
	Usage string
	Set   func(text string) error
}

// Flags lists a flag for every field of c but SDKAppID, Key, Identifier, Accounts and the hooks.
// Set writes into c, each time the whole field: a flag that is given again replaces what it said
// before. Nothing is read or opened before Set is called; values of the form @FILE are read then, a
// line for each entry.
func (c *Config) Flags() []Flag {
	return slices.Concat(c.serviceFlags(), c.limitFlags(), c.readingFlags(), c.callFaultFlags(),
		c.connectionFaultFlags(), c.longFaultFlags(), c.accountFaultFlags())
}

func (c *Config) serviceFlags() []Flag {
	return []Flag{
		{"seed", "N", "draws every share; the same seed and the same calls per account meet the same faults",
			number(&c.Seed)},
		{"latency", "DURATION", "time that the service works on a call", duration(&c.Latency)},
		{"jitter", "DURATION", "at most so much more, evenly spread", duration(&c.Jitter)},
		{"compact", "", "keep the graph as hashes only (16 bytes an edge): for tens of millions of edges; friend_get and /_sim/graph don't work", toggle(&c.Compact)},
		{"missing-accounts", "@FILE|ID,...", "accounts that don't exist", set(&c.Missing)},
		{"refused-accounts", "@FILE|ID,...", "accounts that multiaccount_import refuses", set(&c.Refused)},
		{"missing-accounts-share", "SHARE", "share of all accounts that don't exist", portion(&c.MissingShare)},
		{"custom-tags", "any|@FILE|TAG,...", "custom friend fields created in the console; another one in any item refuses its whole call with 30001", c.setTags},
		{"missing-tags", "@FILE|TAG,...", "custom friend fields that were not created", set(&c.MissingTags)},
		{"admin-code", "CODE", "answer to a signature of somebody who is no admin: 60010, 30004 or 70403",
			number(&c.AdminCode)},
		{"admin-removed", "N-M,...", "the admin account does not exist from call N on, until call M: 70107; without M for good",
			spans(&c.AdminRemoved)},
		{"key-change", "TIME=FILE,...", "from TIME on only the secret key in FILE signs; the one before is answered 70009", c.setKeyChanges},
	}
}

func (c *Config) limitFlags() []Flag {
	return []Flag{
		{"limit", "N", "calls in any sliding second, all APIs together; 0: no limit", number(&c.Limit)},
		{"limit-changes", "TIME=N,...", "from TIME on another limit", c.setLimitChanges},
		{"limit-per-api", "", "a counter of its own for each API", toggle(&c.PerAPI)},
		{"limit-counts-refused", "", "calls that were refused for the limit count too", toggle(&c.CountRefused)},
		{"account-limit", "N", "a second limit for account_check and account imports (the vendor says 100); 0: none",
			number(&c.AccountLimit)},
		{"throttle-code", "CODE", "answer over the limit: 60007, 60011, 60018, 60019, 72010, or 429 for the HTTP status", number(&c.ThrottleCode)},
		{"retry-after", "TEXT", "Retry-After of HTTP 429 and 503", plain(&c.RetryAfter)},
		{"volume", "N", "60028 for every call after the first N; 0: never", number(&c.Volume)},
		{"max-accounts", "N", "accounts that may be imported (the trial edition has 100), then 70398; 0: no limit",
			number(&c.MaxAccounts)},
		{"max-friends", "N", "friends of a user (3000; the trial edition has 20); below 0: no limit",
			number(&c.MaxFriends)},
		{"max-groups", "N", "groups of a user (32); below 0: no limit", number(&c.MaxGroups)},
		{"max-body", "BYTES", "HTTP 413 for larger requests", number(&c.MaxBody)},
		{"give-up", "DURATION", "60008 after so long, while the work goes on (the vendor: 3s); 0: never",
			duration(&c.GiveUp)},
		{"sig-lock", "N", "so many wrong signatures within a minute, and 70050 is the answer for a minute; 0: never",
			number(&c.SigLock)},
	}
}

func (c *Config) readingFlags() []Flag {
	return []Flag{
		{"reimport", "success|already|exist|sister",
			"answer to a friend that is there: 0, 30015, 30001 with Friend_Exist, or with Already_Exist",
			choice(&c.Reimport, "success", "already", "exist", "sister")},
		{"reimport-fields", "overwrite|keep", "what becomes of the fields of a friend that is imported again",
			choice(&c.KeepFields, "overwrite", "keep")},
		{"duplicate-to", "each|once|item|call",
			"a To_Account twice in a call: each has a ResultItem; the last counts; later ones fail; the call fails",
			choice(&c.DuplicateTo, "each", "once", "item", "call")},
		{"self-to", "item|call|accept", "From_Account as a To_Account: the item fails; the call fails; accepted",
			choice(&c.SelfTo, "item", "call", "accept")},
		{"order", "request|shuffled|reversed|sorted", "order of ResultItem and InfoItem",
			choice(&c.Order, "request", "shuffled", "reversed", "sorted")},
		{"page-size", "N", "friends on a page of friend_get (100)", number(&c.PageSize)},
		{"add-time", "now|absent", "what an omitted AddTime becomes", choice(&c.NoAddTime, "now", "absent")},
		{"full-refuses", "item|call", "whether 30010 and 30011 are said of the items that don't fit or of the whole call", choice(&c.FullRefuses, "item", "call")},
		{"conflict-level", "call|item", "whether 30008 is said of the whole call or of each item",
			choice(&c.ConflictItems, "call", "item")},
		{"integer-values", "accept|refuse", "integers as values of custom fields", choice(&c.RefuseIntegers, "accept",
			"refuse")},
		{"fail-account", "present|absent", "whether answers with failed items have Fail_Account",
			choice(&c.NoFailAccount, "present", "absent")},
		{"request-id", "", "answers carry a RequestId", toggle(&c.RequestID)},
		{"busy-after", "DURATION", "an account stays busy (30008) for so long after a call", duration(&c.BusyAfter)},
	}
}

// Each fault has two flags: as it is, and -applied, where the service did what it was asked for and
// only its answer is lost or wrong.
func (c *Config) callFaultFlags() []Flag {
	const applied = " although it was done"
	return []Flag{
		{"fault-code", "CODE=SHARE,...", "whole calls answered with an ErrorCode", shares(&c.Codes, code)},
		{"fault-code-applied", "CODE=SHARE,...", "whole calls answered with an ErrorCode" + applied,
			shares(&c.CodesApplied, code)},
		{"fault-item", "CODE=SHARE,...", "items answered with a ResultCode; 30006, 30007 and 30008 pass, others stick to the edge", shares(&c.Items, code)},
		{"fault-item-applied", "CODE=SHARE,...", "items answered with a ResultCode" + applied,
			shares(&c.ItemsApplied, code)},
		{"fault-http", "STATUS=SHARE,...", "calls answered with an HTTP status and a page of HTML",
			shares(&c.Statuses, status)},
		{"fault-http-applied", "STATUS=SHARE,...", "calls answered with an HTTP status" + applied,
			shares(&c.StatusesApplied, status)},
		{"fault-body", "KIND=SHARE,...", "calls answered with an odd body: " + strings.Join(BodyKinds(), " "),
			shares(&c.Bodies, oneOf(BodyKinds()))},
		{"fault-body-applied", "KIND=SHARE,...", "calls answered with an odd body" + applied,
			shares(&c.BodiesApplied, oneOf(BodyKinds()))},
		{"fault-raw", "KIND=SHARE,...", "calls answered with broken HTTP: " + strings.Join(RawKinds(), " "),
			shares(&c.Raw, oneOf(RawKinds()))},
		{"fault-raw-applied", "KIND=SHARE,...", "calls answered with broken HTTP" + applied,
			shares(&c.RawApplied, oneOf(RawKinds()))},
		{"fault-window", "FROM-TO", "shares hold inside this time only", window(&c.Faults.Window)},
		{"fault-apis", "API,...", "shares hit these APIs only: friend_import, friend_check, friend_get, friend_update, friend_delete, account_check, ...", apis(&c.APIs)},
		{"redirect-to", "URL", "where HTTP 3xx leads", plain(&c.RedirectTo)},
	}
}

func (c *Config) connectionFaultFlags() []Flag {
	const applied = " although the call was done"
	flag := func(name, usage string, plain, other *float64) []Flag {
		return []Flag{
			{"fault-" + name, "SHARE", "share of calls: " + usage, portion(plain)},
			{"fault-" + name + "-applied", "SHARE", "share of calls: " + usage + applied, portion(other)},
		}
	}
	return slices.Concat(
		flag("reset", "connection reset instead of an answer", &c.Resets, &c.ResetsApplied),
		flag("close", "connection closed instead of an answer", &c.Closes, &c.ClosesApplied),
		flag("cut", "half an answer, then closed", &c.Cuts, &c.CutsApplied),
		flag("stall", "no answer", &c.Stalls, &c.StallsApplied),
		flag("stall-headers", "headers, then nothing", &c.HeadStalls, &c.HeadStallsApplied),
		flag("stall-half", "half an answer, then nothing", &c.HalfStalls, &c.HalfStallsApplied),
		[]Flag{
			{"stall-for", "DURATION", "a stalled call is reset after so long; 0: when the client goes",
				duration(&c.StallFor)},
			{"fault-drip", "SHARE", "share of calls whose answer comes in small pieces", portion(&c.Drips)},
			{"drip-for", "DURATION", "how long that takes (2s)", duration(&c.DripFor)},
			{"fault-spike", "SHARE", "share of calls on which the service works longer", portion(&c.Spikes)},
			{"spike-for", "DURATION", "how much longer (5s)", duration(&c.SpikeFor)},
		})
}

func (c *Config) longFaultFlags() []Flag {
	return []Flag{
		{"outage", "FROM-TO[=FAULT],...", "every call in that time meets FAULT: refuse (default), reset, close, stall, http:503, code:30006, body:empty, spike:5s, ...; with +applied it was done",
			c.setOutages},
		{"sig-expire", "TIME,...", "at these times all signatures made before are declared expired: 70001",
			times(&c.SigExpire)},
		{"sig-revoke", "TIME,...", "at these times all signatures made before are declared revoked: 70052",
			times(&c.SigRevoke)},
		{"sig-lifetime", "DURATION", "signatures are expired after so long at most; 0: as they say",
			duration(&c.SigLifetime)},
	}
}

func (c *Config) accountFaultFlags() []Flag {
	return []Flag{
		{"hot", "@FILE|ID,...", "From_Accounts whose friend_import is answered 30008", set(&c.Hot)},
		{"hot-share", "SHARE", "share of all accounts that are hot", portion(&c.HotShare)},
		{"hot-code", "CODE", "another answer than 30008", number(&c.HotCode)},
		{"hot-window", "FROM-TO", "accounts are hot inside this time only", window(&c.HotWindow)},
		{"poison", "@FILE|TO|FROM->TO,...", "edges that refuse the whole call they are in with 30001", set(&c.Poison)},
		{"poison-share", "SHARE", "share of all edges that are poisonous", portion(&c.PoisonShare)},
		{"poison-code", "CODE", "another answer than 30001", number(&c.PoisonCode)},
		{"poison-info", "TEXT", "its ErrorInfo", plain(&c.PoisonInfo)},
		{"odd-lists", "@FILE|ID,...", "accounts whose friend lists are odd by the flags that follow; without it: all",
			set(&c.OddLists)},
		{"friend-num-off", "N", "FriendNum says so many more friends than there are, or less", number(&c.FriendNumOff)},
		{"empty-pages", "N", "so many pages without friends before each page that has some", number(&c.EmptyPages)},
		{"endless-lists", "", "behind the last friend the list begins again", toggle(&c.EndlessLists)},
		{"other-tags", "@FILE|TAG,...", "tags that friend_import does not have, with a value for each friend",
			set(&c.OtherTags)},
	}
}

func (c *Config) setTags(text string) error {
	if text == "any" {
		c.CustomTags = nil
		return nil
	}
	return set(&c.CustomTags)(text)
}

func (c *Config) setKeyChanges(text string) error {
	var changes []KeyChange
	err := pairs(text, func(at, file string) error {
		t, err := time.ParseDuration(at)
		if err != nil {
			return err
		}
		key, err := readText(file)
		changes = append(changes, KeyChange{t, strings.TrimSpace(key)})
		return err
	})
	c.KeyChanges = changes
	return err
}

func (c *Config) setLimitChanges(text string) error {
	var changes []LimitChange
	err := pairs(text, func(at, limit string) error {
		var change LimitChange
		if err := duration(&change.At)(at); err != nil {
			return err
		}
		changes = append(changes, change)
		return number(&changes[len(changes)-1].Limit)(limit)
	})
	c.LimitChanges = changes
	return err
}

func (c *Config) setOutages(text string) error {
	var outages []Outage
	for _, part := range split(text) {
		span, fault, given := strings.Cut(part, "=")
		o := Outage{Fault: Fault{Kind: FaultRefuse}}
		err := window(&o.Window)(span)
		if given && err == nil {
			o.Fault, err = ParseFault(fault)
		}
		if err != nil {
			return err
		}
		outages = append(outages, o)
	}
	c.Outages = outages
	return nil
}

// shares reads KEY=SHARE,... into a new map.
func shares[K comparable](into *map[K]float64, key func(string) (K, error)) func(string) error {
	return func(text string) error {
		m := map[K]float64{}
		err := pairs(text, func(name, share string) error {
			k, err := key(name)
			if err != nil {
				return err
			}
			var v float64
			err = portion(&v)(share)
			m[k] += v
			return err
		})
		if err == nil {
			*into = maps.Clone(m)
		}
		return err
	}
}
