package sink

import (
	"net/http"
	"slices"
	"strings"

	"friendmigrate/migrate"
)

// Level says where the service uses a code.
type Level uint8

// The levels of a code, as a set.
const (
	OnItem Level = 1 << iota
	OnCall
)

// Code is an entry of the table of the service's codes.
type Code struct {
	Code      int
	Level     Level           // where the vendor documents the code; the table has a meaning for both
	Item      migrate.Kind    // the outcome for one edge
	Call      migrate.Verdict // the verdict on a whole call
	Uncertain bool            // the call may have been applied
	SignAgain bool            // on a call: sign again and send again before Call applies
	Source    string          // which of the vendor's pages document it, as tags
	Advice    string          // one line for the user: what it is and what to do

	signAgainIfRekeyed bool // like SignAgain, but only if the key has changed since
}

// The tags of sources. S1, S2 and S0 are the pages of friend_import, friend_check and friend_get.
// ERR is the newest table of codes, CN an older one in Chinese, HDR the header of the client
// library. OBS was seen in a user's report. cmd/friendmigrate/topics/codes.md says what each
// verdict leads to.
const (
	srcAPI = "S0 S1 S2"
	srcErr = "ERR"
	srcOld = "CN"
	srcHdr = "HDR"
	srcObs = "OBS"
)

// The ways to treat a code. againCall and maybeCall are for codes that only a whole call can have.
var (
	already = Code{Level: OnItem, Item: migrate.Already, Call: migrate.VerdictUnknown}
	item    = Code{Level: OnItem, Item: migrate.Failed, Call: migrate.VerdictUnknown}
	// again: sent again later. afterCall and giveUp in migrate/decide.go decide when it is given
	// up. A call in which nothing but this comes back did not get through (migrate/outage.go).
	again              = Code{Level: OnItem | OnCall, Item: migrate.Again, Call: migrate.VerdictRetry}
	againCall          = Code{Level: OnCall, Item: migrate.Failed, Call: migrate.VerdictRetry}
	maybe              = Code{Level: OnItem | OnCall, Item: migrate.Again, Call: migrate.VerdictRetry, Uncertain: true}
	maybeCall          = Code{Level: OnCall, Item: migrate.Failed, Call: migrate.VerdictRetry, Uncertain: true}
	halve              = Code{Level: OnItem | OnCall, Item: migrate.Failed, Call: migrate.VerdictHalve}
	suspect            = Code{Level: OnItem | OnCall, Item: migrate.Failed, Call: migrate.VerdictSuspect}
	refuseAccount      = Code{Level: OnItem | OnCall, Item: migrate.Failed, Call: migrate.VerdictRefuseAccount}
	refuseChunk        = Code{Level: OnItem | OnCall, Item: migrate.Failed, Call: migrate.VerdictRefuseChunk}
	slow               = Code{Level: OnCall, Item: migrate.Failed, Call: migrate.VerdictThrottle}
	slowDelete         = Code{Level: OnItem | OnCall, Item: migrate.Again, Call: migrate.VerdictThrottle}
	stop               = Code{Level: OnCall, Item: migrate.Failed, Call: migrate.VerdictFatal}
	signAgain          = Code{Level: OnCall, Item: migrate.Failed, Call: migrate.VerdictFatal, SignAgain: true}
	signAgainIfRekeyed = Code{Level: OnCall, Item: migrate.Failed, Call: migrate.VerdictFatal, signAgainIfRekeyed: true}
)

// forCode returns the entry for a code that is treated like c.
func (c Code) forCode(code int, source, advice string) Code {
	c.Code, c.Source, c.Advice = code, source, advice
	return c
}

// table is sorted by code. It never changes.
var table = []Code{
	halve.forCode(30001, srcAPI,
		"a parameter is wrong; see the text: often an AddSource, or a custom tag that was never created in the "+
			"console"),
	suspect.forCode(30002, "S1", "the account belongs to another app: check --sdk-app-id"),
	refuseAccount.forCode(30003, srcAPI,
		"the account does not exist in this app: import accounts first, then friends"),
	stop.forCode(30004, srcAPI, "--identifier is not an admin of this app: use the admin account set in the console"),
	item.forCode(30005, "ERR CN", "a sensitive word in a field (older apps), or a feature that is off"),
	maybe.forCode(30006, srcAPI, "an internal error of the service; it passes"),
	maybe.forCode(30007, srcAPI, "a timeout inside the service; it passes"),
	again.forCode(30008, "S1", "another write to the same account was under way; it passes"),
	item.forCode(30009, srcErr, "the account is forbidden to add friends"),
	refuseChunk.forCode(30010, "S1",
		"the account's friend list is full: 3000, or 20 on the trial edition"),
	refuseChunk.forCode(30011, "S1", "the account has as many groups as it may have: 32"),
	item.forCode(30012, srcErr, "the account's list of pending requests is full"),
	item.forCode(30013, srcErr, "the account's blacklist is full"),
	item.forCode(30014, srcErr, "the other account's friend list is full"),
	already.forCode(30015, srcHdr, "already a friend"),
	item.forCode(30515, srcErr, "the other account is in the account's own blacklist"),
	item.forCode(30516, srcErr, "the other account refuses friend requests"),
	item.forCode(30525, srcErr, "the account is in the other account's blacklist"),
	item.forCode(30539, srcErr, "the request waits for the other account's consent"),
	againCall.forCode(30540, srcErr, "refused by a security policy for being too frequent; it passes"),
	item.forCode(30614, srcErr, "there is no such pending request"),
	item.forCode(31704, srcErr, "there is no such friend to delete"),
	slowDelete.forCode(31707, srcErr, "deleting was refused for being too frequent; it passes"),
	item.forCode(31804, srcHdr, "the account that was asked about does not exist"),
	item.forCode(32216, srcErr, "a group can only hold friends"),
	maybeCall.forCode(40006, srcErr, "an internal error while accounts were imported; it passes"),
	stop.forCode(60002, srcErr, "the service could not read the request's URL: check --endpoint"),
	stop.forCode(60003, srcErr, "the service says that the request is not JSON: something on the way changes requests"),
	signAgain.forCode(60004, srcErr, "the signature was refused: check --secret-key-file, --identifier and the clock"),
	signAgain.forCode(60005, srcErr, "the signature was refused: check --secret-key-file, --identifier and the clock"),
	stop.forCode(60006, srcOld, "--sdk-app-id is wrong"),
	slow.forCode(60007, srcErr, "too many calls a second for this API"),
	maybeCall.forCode(60008, srcErr, "the service timed out; it passes"),
	stop.forCode(60009, srcErr, "the service does not know the URL: check --endpoint"),
	stop.forCode(60010, srcErr, "--identifier is not an admin of this app: use the admin account set in the console"),
	slow.forCode(60011, srcOld, "too many calls a second for this app"),
	stop.forCode(60012, srcErr, "the request has no SDKAppID: something on the way changes requests"),
	maybeCall.forCode(60013, srcErr, "the service could not read its own answer; it passes"),
	againCall.forCode(60014, srcErr, "the check of the account timed out; it passes"),
	stop.forCode(60015, srcErr,
		"the service says that an account is not a string: something on the way changes requests"),
	stop.forCode(60016, srcErr, "the app is disabled: see the console"),
	stop.forCode(60017, srcErr, "this request is disabled for the app: see the console"),
	slow.forCode(60018, srcErr, "too many calls a second"),
	slow.forCode(60019, srcOld, "too many calls a second"),
	stop.forCode(60020, srcErr,
		"the app's plan is expired, not active or in arrears: see the console; it works some 5 minutes after "+
			"payment"),
	stop.forCode(60021, srcErr, "this machine's address is not in the app's list of allowed addresses"),
	stop.forCode(60025, srcErr, "a URL parameter is wrong: check --sdk-app-id and --identifier"),
	stop.forCode(60026, srcErr, "this host does not serve the app's region: check --region"),
	stop.forCode(60027, srcErr, "the app's product type does not allow this API"),
	stop.forCode(60028, srcErr, "the trial edition's REST calls of 24 hours are used up: wait, or upgrade"),
	signAgain.forCode(70001, srcErr, "the signature is expired, also a new one: check this machine's clock"),
	stop.forCode(70002, srcOld, "the request has no signature: something on the way changes requests"),
	signAgainIfRekeyed.forCode(70003, srcErr,
		"the signature is malformed: something on the way changes requests, or the key is wrong"),
	signAgainIfRekeyed.forCode(70005, srcOld, "the signature is not valid: check --secret-key-file and --sdk-app-id"),
	signAgainIfRekeyed.forCode(70009, srcErr,
		"the signature was made with another key: check --secret-key-file and --sdk-app-id"),
	stop.forCode(70013, srcErr, "the signature is for another account: check --identifier"),
	stop.forCode(70014, srcErr, "the signature is for another app: check --sdk-app-id"),
	stop.forCode(70016, srcErr, "the app has no such key: check --sdk-app-id and --region"),
	stop.forCode(70020, srcErr, "the app was not found: check --sdk-app-id and --region"),
	stop.forCode(70050, srcErr,
		"the signature failed too often: check --secret-key-file, then wait a minute before trying again"),
	stop.forCode(70051, srcErr, "--identifier is blocked for security: see the console"),
	signAgain.forCode(70052, srcOld, "the signature was revoked, also a new one: check --identifier in the console"),
	stop.forCode(70107, srcErr, "--identifier does not exist in this app: use the admin account set in the console"),
	stop.forCode(70114, srcOld, "--identifier is restricted for security: see the console"),
	maybeCall.forCode(70169, srcErr, "a timeout inside the service; it passes"),
	maybeCall.forCode(70202, srcOld, "a timeout inside the service; it passes"),
	item.forCode(70206, srcOld, "the number of accounts in the call is wrong"),
	stop.forCode(70346, srcObs, "the service refused the signature: check --secret-key-file and --sdk-app-id"),
	stop.forCode(70398, srcErr, "the plan allows no more accounts (trial edition: 100): upgrade"),
	item.forCode(70399, srcErr, "a deleted account cannot come back for three months"),
	stop.forCode(70402, srcErr, "a parameter is wrong: check --sdk-app-id and --identifier"),
	stop.forCode(70403, srcOld, "--identifier is not an admin of this app: use the admin account set in the console"),
	stop.forCode(70404, srcErr, "the service asks for a newer client"),
	maybeCall.forCode(70500, srcErr, "an internal error of the service; it passes"),
	item.forCode(71000, srcErr, "deleting accounts is off for this app"),
	stop.forCode(72000, srcErr, "the plan's free daily active users are used up: see the console"),
	stop.forCode(72001, srcErr, "the feature is off for this app: see the console"),
	stop.forCode(72002, srcErr, "the plan's monthly active users are used up: see the console"),
	slow.forCode(72010, srcErr, "too many operations a second"),
	stop.forCode(72011, srcErr, "the feature is off for this app: see the console"),
	stop.forCode(72012, srcErr, "the feature is off for this app: see the console"),
	stop.forCode(80005, srcErr, "the service is suspended or in arrears: see the console"),
}

// LookupCode returns the entry for a code and whether the table has it. A code that the table does
// not have is migrate.Failed on an edge and migrate.VerdictUnknown on a call. Codes 38000 to 39000
// are the customer's own, from webhooks.
func LookupCode(code int) (Code, bool) {
	i, ok := slices.BinarySearchFunc(table, code, func(c Code, code int) int { return c.Code - code })
	switch {
	case ok:
		return table[i], true
	case code >= 38000 && code <= 39000:
		return item.forCode(code, srcErr, "refused by a webhook of your own"), true
	}
	return Code{Code: code, Item: migrate.Failed, Call: migrate.VerdictUnknown,
		Advice: "a code that is not documented"}, false
}

// Passing reports whether the same question may get another answer later.
func (c Code) Passing() bool {
	return c.Item == migrate.Again || c.Call == migrate.VerdictRetry || c.Call == migrate.VerdictThrottle
}

// AccountMissing reports whether edges that failed with a code lack an account in the app.
func AccountMissing(code int) bool { return code == accountNotInApp || code == AccountUnknownToLogin }

// EdgeAdvice returns the advice for edges that failed with the code. With 70107 they fail only
// after a check has shown that the admin exists, so their account does not.
func (c Code) EdgeAdvice() string {
	if c.Code == AccountUnknownToLogin {
		return "the account does not exist in this app: run friendmigrate accounts --import"
	}
	return c.Advice
}

// Codes returns the table in ascending order.
func Codes() []Code { return slices.Clone(table) }

// outcomeOf returns the outcome of an edge from its ResultItem.
func outcomeOf(code int, info string) migrate.Outcome {
	if code == 0 {
		return migrate.Outcome{Kind: migrate.Imported}
	}
	c, _ := LookupCode(code)
	o := migrate.Outcome{Kind: c.Item, Code: code, Info: info}
	// This is the only place where a text decides. friend_add and a sister API, and perhaps import,
	// report "already a friend" with the code for a wrong parameter.
	if code == 30001 && (strings.Contains(info, "Friend_Exist") || strings.Contains(info, "Already_Exist")) {
		o.Kind = migrate.Already
	}
	o.Uncertain = c.Uncertain && o.Kind == migrate.Again
	return o
}

// statusVerdict returns the verdict on an HTTP status other than 200.
func statusVerdict(status int) (v migrate.Verdict, uncertain bool) {
	switch {
	case status == http.StatusTooManyRequests:
		return migrate.VerdictThrottle, false
	case status == http.StatusRequestEntityTooLarge:
		return migrate.VerdictHalve, false
	case status == http.StatusRequestTimeout || status == http.StatusTooEarly:
		return migrate.VerdictRetry, true
	case status >= 300 && status < 500:
		return migrate.VerdictSuspect, true
	}
	return migrate.VerdictRetry, true
}

// Concern is the subject of a code that stops a job, in one word for a diagnosis.
type Concern string

// The concerns.
const (
	Credentials Concern = "credentials" // signature, key, clock
	AdminRight  Concern = "admin right"
	AppRegion   Concern = "region" // the app is unknown to this host, or disabled there
	Quota       Concern = "quota"  // plan, arrears, number of calls or users
	OtherFault  Concern = "service"
)

// Concern returns the subject of a code.
func (c Code) Concern() Concern {
	switch c.Code {
	case 70001, 70002, 70003, 70005, 70009, 70013, 70016, 70050, 70052, 70346, 60004, 60005:
		return Credentials
	case 30004, 60010, 60021, 70051, 70107, 70114, 70403:
		return AdminRight
	case 60006, 60009, 60016, 60026, 60027, 70014, 70020:
		return AppRegion
	case 60020, 60028, 70398, 72000, 72001, 72002, 72011, 72012, 80005:
		return Quota
	}
	return OtherFault
}

// Notes returns what a user should know about the service before an import (from the vendor's pages
// on blocking, webhooks and the trial edition).
func Notes() []string {
	return []string{
		"blocking someone removes the friendship from both lists, unless the app has that switched off",
		"friend_import raises no \"after friend added\" webhook",
		"a trial app holds 20 friends per account and 100 accounts",
	}
}
