package simulator

import (
	"encoding/json"
	"slices"
	"strconv"
)

// answer is what the API says, before any oddity is done to it.
type answer struct {
	api   *command
	ok    bool // a list of items belongs to it
	code  int  // ErrorCode
	info  string
	items []result
	bare  bool     // items carry no ResultCode
	tail  []member // behind the items

	quiet   bool // without the list of those that failed
	swapped bool // that list has those that did not fail
}

// result is one item of an answer.
type result struct {
	to      string
	code    int
	info    string
	members string                   // further members, as JSON
	odd     func(item []byte) []byte // changes its JSON; nil: not
}

// member is a member of a JSON object.
type member struct {
	name  string
	value []byte // JSON
}

func text(t string) []byte   { return appendQuoted(nil, t) }
func integer(n int64) []byte { return strconv.AppendInt(nil, n, 10) }

// success is the answer of the call's API with nothing in it yet.
func (k *call) success() answer {
	return answer{api: k.api, ok: true, quiet: k.c.NoFailAccount && !k.api.account}
}

// failure is the answer to a call that is refused as a whole.
func (k *call) failure(r refusal) answer {
	a := k.success()
	a.ok, a.code, a.info = false, r.code, r.info
	return a
}

// members are the members of the answer in their order.
func (a *answer) members() []member {
	m := make([]member, 0, 12)
	status := "FAIL"
	if a.ok {
		status = "OK"
		if a.api.list != "" {
			m = append(m, member{a.api.list, a.list()})
		}
		if fails := a.failed(); a.api.fails != "" && !a.quiet && (len(fails) > 0 || a.api.account) {
			m = append(m, member{a.api.fails, texts(fails)})
		}
		m = append(m, a.tail...)
	}
	return append(m, member{"ActionStatus", text(status)}, member{"ErrorCode", integer(int64(a.code))},
		member{"ErrorInfo", text(a.info)}, member{"ErrorDisplay", text("")})
}

// json is the answer as JSON.
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

// failed lists the accounts that failed.
func (a *answer) failed() []string {
	names := []string{} // not null
	for i := range a.items {
		if (a.items[i].code != 0) != a.swapped {
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
	if !a.bare {
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

// texts is a list of strings as JSON.
func texts(list []string) []byte {
	b, _ := json.Marshal(list) // strings have a JSON form
	return b
}
