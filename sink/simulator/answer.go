package simulator

import "strconv"

// answer is what the API says, before any oddity is done to it.
type answer struct {
	status string // ActionStatus
	code   int    // ErrorCode
	info   string
	list   string // name of the list of items; empty: the answer has none
	id     string // name of an item's account
	fails  string // name of the list of failed accounts; empty: none
	always bool   // the list of failed accounts is there even when it is empty
	bare   bool   // items carry no ResultCode
	items  []result
	tail   string // members between the items and ActionStatus
	reqID  string
}

// result is one item of an answer.
type result struct {
	to      string
	code    int
	info    string
	members string // further members, raw
}

// success is the answer of the call's API with nothing in it yet.
func (k *call) success() answer {
	a := answer{status: "OK", list: "ResultItem", id: "To_Account", fails: "Fail_Account"}
	switch k.api {
	case apiAccountImport:
		a.list, a.fails = "", ""
	case apiAccountsImport:
		a.list, a.fails, a.always = "", "FailAccounts", true
	case apiAccountCheck:
		a.fails = ""
	}
	if k.c.NoFailAccount && a.fails == "Fail_Account" {
		a.fails = ""
	}
	k.name(&a)
	return a
}

// failure is the answer to a call that is refused as a whole.
func (k *call) failure(r refusal) answer {
	a := answer{status: "FAIL", code: r.code, info: r.info}
	k.name(&a)
	return a
}

func (k *call) name(a *answer) {
	if k.c.RequestID {
		a.reqID = "Id-" + strconv.FormatInt(k.number, 10)
	}
}

// append writes the answer as JSON. o may change details of it; nil: nothing.
func (a *answer) append(b []byte, o *oddity) []byte {
	if o == nil {
		o = &oddity{victim: -1}
	}
	b = append(b, '{')
	if a.list != "" && !o.noList {
		b = append(appendQuoted(b, a.list), ':')
		if o.list != "" {
			b = append(b, o.list...)
		} else {
			b = a.appendItems(b, o)
		}
		b = append(b, ',')
	}
	b = a.appendFails(b, o)
	b = append(b, a.tail...)
	if !o.noStatus {
		b = append(b, `"ActionStatus":`...)
		b = append(appendQuoted(b, orElse(o.status, a.status)), ',')
	}
	if o.before != "" {
		b = append(append(b, o.before...), ',')
	}
	if !o.noCode {
		b = append(b, `"ErrorCode":`...)
		b = append(b, orElse(o.code, strconv.Itoa(a.code))...)
		b = append(b, ',')
	}
	if a.reqID != "" {
		b = append(append(append(b, `"RequestId":`...), appendQuoted(nil, a.reqID)...), ',')
	}
	b = append(b, `"ErrorInfo":`...)
	b = appendQuoted(b, a.info)
	return append(b, `,"ErrorDisplay":""}`...)
}

func orElse(t, otherwise string) string {
	if t != "" {
		return t
	}
	return otherwise
}

func (a *answer) appendItems(b []byte, o *oddity) []byte {
	b = append(b, '[')
	for i := range a.items {
		if i > 0 {
			b = append(b, ',')
		}
		form := ""
		if i == o.victim {
			form = o.form
		}
		b = a.appendItem(b, &a.items[i], form)
	}
	return append(b, ']')
}

func (a *answer) appendItem(b []byte, r *result, form string) []byte {
	b = append(b, '{')
	if form != "no-account" {
		b = append(appendQuoted(b, a.id), ':')
		b = append(appendQuoted(b, r.to), ',')
	}
	if r.members != "" {
		b = append(append(b, r.members...), ',')
	}
	if !a.bare {
		switch form {
		case "no-code":
		case "code-null":
			b = append(b, `"ResultCode":null,`...)
		case "code-string":
			b = append(b, `"ResultCode":"`...)
			b = append(strconv.AppendInt(b, int64(r.code), 10), `",`...)
		default:
			b = append(b, `"ResultCode":`...)
			b = append(strconv.AppendInt(b, int64(r.code), 10), ',')
		}
		b = append(b, `"ResultInfo":`...)
		b = append(appendQuoted(b, r.info), ',')
	}
	b[len(b)-1] = '}'
	return b
}

// appendFails writes the list of accounts that failed, which is there only if one did.
func (a *answer) appendFails(b []byte, o *oddity) []byte {
	if a.fails == "" || o.noFails {
		return b
	}
	names := make([]string, 0, 8)
	for i := range a.items {
		if failed := a.items[i].code != 0; failed != o.otherFails {
			names = append(names, a.items[i].to)
		}
	}
	if len(names) == 0 && !a.always {
		return b
	}
	b = append(appendQuoted(b, a.fails), ':')
	return append(appendStrings(b, names), ',')
}

func appendStrings(b []byte, list []string) []byte {
	b = append(b, '[')
	for i, t := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendQuoted(b, t)
	}
	return append(b, ']')
}
