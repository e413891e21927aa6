package simulator

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// The names of the APIs.
const (
	apiImport         = "friend_import"
	apiCheck          = "friend_check"
	apiGet            = "friend_get"
	apiUpdate         = "friend_update"
	apiDelete         = "friend_delete"
	apiAccountCheck   = "account_check"
	apiAccountsImport = "multiaccount_import"
)

// maxItems is the largest number of friends in one call, maxAccounts the largest number of
// accounts, maxID the largest size of an account id in bytes (the APIs' pages; the limits page).
const (
	maxItems    = 1000
	maxAccounts = 100
	maxID       = 32
)

// command is one API: the form of its requests and answers, and its function.
type command struct {
	name    string
	account bool   // it is about accounts, not about an account's friends
	texts   string // the beginning of its texts

	decode func(body []byte) (request, error)
	most   int      // the largest number of items; 0: it has none
	kind   string   // name of the member for the kind of call
	kinds  []string // allowed values of that member

	writes bool // it changes something

	list, fails string // names of the lists in the answer: of all items, of those that failed

	do func(*call) answer
}

// commands holds the APIs by path. It never changes.
var commands = map[string]*command{
	"/v4/sns/friend_import": {
		name: apiImport, texts: "Err_SNS_FriendImport_", most: maxItems, writes: true,
		decode: decode[importRequest], list: "ResultItem", fails: "Fail_Account", do: (*call).importFriends,
	},
	"/v4/sns/friend_update": {
		name: apiUpdate, texts: "Err_SNS_FriendUpdate_", most: maxItems, writes: true,
		decode: decode[updateRequest], list: "ResultItem", fails: "Fail_Account", do: (*call).updateFriends,
	},
	"/v4/sns/friend_delete": {
		name: apiDelete, texts: "Err_SNS_FriendDelete_", most: maxItems, writes: true,
		kind: "DeleteType", kinds: []string{"", "Delete_Type_Single"},
		decode: decode[deleteRequest], list: "ResultItem", fails: "Fail_Account", do: (*call).deleteFriends,
	},
	"/v4/sns/friend_check": {
		name: apiCheck, texts: "Err_SNS_FriendCheck_", most: maxItems,
		kind: "CheckType", kinds: []string{"CheckResult_Type_Single"},
		decode: decode[checkRequest], list: "InfoItem", fails: "Fail_Account", do: (*call).checkFriends,
	},
	"/v4/sns/friend_get": {
		name: apiGet, texts: "Err_SNS_FriendGet_",
		decode: decode[getRequest], list: "UserDataItem", do: (*call).getFriends,
	},
	"/v4/im_open_login_svc/account_check": {
		name: apiAccountCheck, texts: "Err_TLS_", account: true, most: maxAccounts,
		decode: decode[accountCheckRequest], list: "ResultItem", do: (*call).checkAccounts,
	},
	"/v4/im_open_login_svc/multiaccount_import": {
		name: apiAccountsImport, texts: "Err_TLS_", account: true, most: maxAccounts, writes: true,
		decode: decode[accountsImportRequest], fails: "FailAccounts", do: (*call).importAccounts,
	},
}

// noCommand is used for every path that no API has.
var noCommand = &command{texts: "Err_TLS_"}

func (c *command) id() string {
	if c.account {
		return "UserID"
	}
	return "To_Account"
}

func (c *command) illegal(field string) refusal {
	if c.account {
		return refusal{70402, "Err_TLS_Invalid_Param"}
	}
	return refusal{30001, c.texts + field + "_Illegal"}
}

func (c *command) refuse(code int) refusal {
	if code == 30003 {
		return refusal{code, "Err_Sns_Invalid_Account"} // seen for an unknown From_Account
	}
	return refusal{code, c.text(code)}
}

// text returns the API's text for a code: ErrorInfo or ResultInfo.
func (c *command) text(code int) string {
	if code == 0 {
		return ""
	}
	t := codeTexts[code]
	switch {
	case code == 30006 && c.name == apiCheck:
		return c.texts + "Check_Relation_Exec_Task_Fail"
	case strings.Contains(t, " "):
		return t
	case t != "":
		return c.texts + t
	case code >= 30000 && code < 40000:
		return c.texts + "Fail"
	}
	return "error"
}

// codeTexts holds the texts of codes. A text of one word is written after the beginning of the
// API's texts. The vendor documents few of them, such as
// Err_SNS_FriendImport_My_Friend_Num_Exceed_Threshold and
// Err_SNS_FriendCheck_Check_Relation_Exec_Task_Fail. The others follow their pattern. A client must
// not depend on any of them but Friend_Exist.
var codeTexts = map[int]string{
	30001: "Param_Illegal",
	30002: "SdkAppId_Illegal",
	30003: "Invalid_Account",
	30004: "Need_App_Admin",
	30006: "Exec_Task_Fail",
	30007: "Network_Timeout",
	30008: "Write_Conflict",
	30010: "My_Friend_Num_Exceed_Threshold",
	30011: "Group_Num_Exceed_Threshold",
	30015: "Already_Friend",
	31704: "Friend_Not_Exist",
	31707: "Delete_Too_Frequently",
	60003: "JSON parse error",
	60007: "REST API call frequency over the limit",
	60025: "URL parameter wrong",
	70001: "UserSig expired",
	70009: "UserSig check failed",
	70107: "requested account does not exist",
	70206: "number of accounts out of range",
	70398: "number of accounts over the limit",
}

// answer is the API's answer, before a fault changes it.
type answer struct {
	api     *command
	ok      bool // it has a list of items
	code    int  // ErrorCode
	info    string
	items   []result
	noCodes bool     // items carry no ResultCode
	tail    []member // members after the items

	noFails    bool // without the list of failed items
	wrongFails bool // the list of failed items has those that did not fail
}

type result struct {
	to      string
	code    int
	info    string
	members string                   // further members, as JSON
	odd     func(item []byte) []byte // changes its JSON; nil: no change
}

type member struct {
	name  string
	value []byte // JSON
}

func text(t string) []byte                       { return appendQuoted(nil, t) }
func integer[N int | int64 | uint64](n N) []byte { return fmt.Append(nil, n) }

// success returns a successful answer of the call's API, still without items.
func (k *call) success() answer {
	return answer{api: k.api, ok: true, noFails: k.c.NoFailAccount && !k.api.account}
}

func (k *call) failure(r refusal) answer {
	a := k.success()
	a.ok, a.code, a.info = false, r.code, r.info
	return a
}

func (a *answer) members() []member {
	m := make([]member, 0, 12)
	status := "FAIL"
	if a.ok {
		status = "OK"
		if a.api.list != "" {
			m = append(m, member{a.api.list, a.list()})
		}
		if fails := a.failed(); a.api.fails != "" && !a.noFails && (len(fails) > 0 || a.api.account) {
			m = append(m, member{a.api.fails, texts(fails)})
		}
		m = append(m, a.tail...)
	}
	return append(m, member{"ActionStatus", text(status)}, member{"ErrorCode", integer(a.code)},
		member{"ErrorInfo", text(a.info)}, member{"ErrorDisplay", text("")})
}

func (a *answer) json() []byte { return object(a.members()) }

func object(members []member) []byte {
	size := 2
	for _, m := range members {
		size += len(m.name) + len(m.value) + 4
	}
	b := append(make([]byte, 0, size), '{')
	for i, m := range members {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendQuoted(b, m.name), ':')
		b = append(b, m.value...)
	}
	return append(b, '}')
}

func (a *answer) failed() (names []string) {
	for i := range a.items {
		if (a.items[i].code != 0) != a.wrongFails {
			names = append(names, a.items[i].to)
		}
	}
	return names
}

func (a *answer) list() []byte {
	b := append(make([]byte, 0, 2+80*len(a.items)), '[')
	for i := range a.items {
		if i > 0 {
			b = append(b, ',')
		}
		b = a.appendItem(b, &a.items[i])
	}
	return append(b, ']')
}

func (a *answer) appendItem(b []byte, r *result) []byte {
	from := len(b)
	b = append(appendQuoted(append(b, '{'), a.api.id()), ':')
	b = appendQuoted(b, r.to)
	if r.members != "" {
		b = append(append(b, ','), r.members...)
	}
	if !a.noCodes {
		b = append(b, `,"ResultCode":`...)
		b = strconv.AppendInt(b, int64(r.code), 10)
		b = append(b, `,"ResultInfo":`...)
		b = appendQuoted(b, r.info)
	}
	b = append(b, '}')
	if r.odd != nil {
		b = append(b[:from], r.odd(slices.Clone(b[from:]))...)
	}
	return b
}

// appendQuoted appends t as a JSON string. What is not UTF-8 in it becomes U+FFFD.
func appendQuoted(b []byte, t string) []byte {
	b, _ = jsontext.AppendQuote(b, t)
	return b
}

func texts(list []string) []byte {
	b, _ := json.Marshal(list, jsontext.AllowInvalidUTF8(true)) // then strings always have a JSON form
	return b
}
