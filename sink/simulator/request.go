package simulator

import "strings"

// The names of the APIs.
const (
	apiImport         = "friend_import"
	apiCheck          = "friend_check"
	apiGet            = "friend_get"
	apiUpdate         = "friend_update"
	apiDelete         = "friend_delete"
	apiAccountCheck   = "account_check"
	apiAccountImport  = "account_import"
	apiAccountsImport = "multiaccount_import"
)

// apiOf maps paths to APIs; "" is none.
func apiOf(path string) string {
	switch path {
	case "/v4/sns/friend_import":
		return apiImport
	case "/v4/sns/friend_check":
		return apiCheck
	case "/v4/sns/friend_get":
		return apiGet
	case "/v4/sns/friend_update":
		return apiUpdate
	case "/v4/sns/friend_delete":
		return apiDelete
	case "/v4/im_open_login_svc/account_check":
		return apiAccountCheck
	case "/v4/im_open_login_svc/account_import":
		return apiAccountImport
	case "/v4/im_open_login_svc/multiaccount_import":
		return apiAccountsImport
	}
	return ""
}

// request is the body of any call. Its strings are parts of the body, so whoever keeps one copies
// it.
type request struct {
	from    string
	hasFrom bool
	items   []item   // friend_import, friend_update
	to      []string // friend_check, friend_delete; the ids of the account calls
	hasList bool
	kind    string // CheckType, DeleteType
	nulls   int    // null in place of arrays that an item need not have

	hasStart                bool // friend_get
	start, standard, custom int64
}

// item is an AddFriendItem.
type item struct {
	Friend
	hasTo, hasSource bool
	spoiled          string // friend_update: the field for which the item is refused
}

// decode reads body as a request to api.
func (q *request) decode(api, body string) (no refusal, unknown []string) {
	p := &scanner{s: body}
	switch api {
	case apiImport:
		p.document(func(name string) { q.importMember(p, name) })
	case apiUpdate:
		p.document(func(name string) { q.updateMember(p, name) })
	case apiCheck, apiDelete:
		p.document(func(name string) { q.listMember(p, name, api) })
	case apiGet:
		p.document(func(name string) { q.pageMember(p, name) })
	default:
		p.document(func(name string) { q.accountMember(p, name, api) })
	}
	q.nulls = p.nulls
	if p.bad || strings.TrimSpace(body) == "" {
		return refusal{60003, "JSON parse error"}, nil
	}
	return p.wrong, p.other
}

func (q *request) fromMember(p *scanner) {
	q.hasFrom = true
	q.from = p.stringOr(60015, "From_Account is not a string")
}

func (q *request) importMember(p *scanner, name string) {
	switch name {
	case "From_Account":
		q.fromMember(p)
	case "AddFriendItem":
		q.hasList = true
		p.objects(illegal(apiImport, name), func() { q.importItem(p) })
	default:
		p.unknown(name)
	}
}

func (q *request) importItem(p *scanner) {
	if n := len(q.items); n < cap(q.items) {
		q.items = q.items[:n+1]
		q.items[n] = item{}
	} else {
		q.items = append(q.items, item{})
	}
	it := &q.items[len(q.items)-1]
	p.object(func(name string) { it.member(p, name) })
}

func (it *item) member(p *scanner, name string) {
	switch name {
	case "To_Account":
		it.hasTo = true
		it.To = p.stringOr(60015, "To_Account is not a string")
	case "Remark":
		it.Remark = p.stringOr(30001, illegal(apiImport, "Remark"))
	case "RemarkTime":
		it.RemarkTime = p.integerOr(30001, illegal(apiImport, "RemarkTime"))
	case "GroupName":
		if !p.absent() {
			it.Groups = p.strings(illegal(apiImport, "Group"))
		}
	case "AddSource":
		it.hasSource = true
		it.AddSource = p.stringOr(30001, illegal(apiImport, "Source"))
	case "AddWording":
		it.AddWording = p.stringOr(30001, illegal(apiImport, "Wording"))
	case "AddTime":
		it.AddTime = p.integerOr(30001, illegal(apiImport, "AddTime"))
	case "CustomItem":
		if !p.absent() {
			it.customItems(p)
		}
	default:
		p.unknown(name)
	}
}

// absent reads null in place of an array that need not be there, which the service puts up with,
// and counts it.
func (p *scanner) absent() bool {
	if p.next() != 'n' {
		return false
	}
	if p.skip(); !p.bad {
		p.nulls++
	}
	return true
}

func (p *scanner) strings(info string) []string {
	if p.next() != '[' {
		p.skip()
		p.refuse(30001, info)
		return nil
	}
	var list []string
	p.array(func() { list = append(list, p.stringOr(30001, info)) })
	return list
}

// objects reads an array of objects, each by read.
func (p *scanner) objects(info string, read func()) {
	if p.next() != '[' {
		p.skip()
		p.refuse(30001, info)
		return
	}
	p.array(func() {
		if p.next() != '{' {
			p.skip()
			p.refuse(30001, info)
			return
		}
		read()
	})
}

func (it *item) customItems(p *scanner) {
	info := illegal(apiImport, "CustomItem")
	p.objects(info, func() {
		var c Custom
		var hasTag, hasValue bool
		p.object(func(name string) {
			switch name {
			case "Tag":
				hasTag = true
				c.Tag = p.stringOr(30001, info)
			case "Value":
				hasValue = true
				c.value(p, info)
			default:
				p.unknown(name)
			}
		})
		if !hasTag || !hasValue {
			p.refuse(30001, info)
		}
		it.Custom = append(it.Custom, c)
	})
}

func (c *Custom) value(p *scanner, info string) {
	switch b := p.next(); {
	case b == '"':
		c.Value = p.text()
	case b == '-' || b >= '0' && b <= '9':
		c.Integer = true
		c.Value = p.number()
		if strings.ContainsAny(c.Value, ".eE") {
			p.refuse(30001, info)
		}
	default:
		p.skip()
		p.refuse(30001, info)
	}
}

func (q *request) listMember(p *scanner, name, api string) {
	switch name {
	case "From_Account":
		q.fromMember(p)
	case "To_Account":
		q.accounts(p, "To_Account", illegal(api, "To_Account"))
	case "CheckType", "DeleteType":
		if (name == "CheckType") != (api == apiCheck) {
			p.unknown(name)
			return
		}
		q.kind = p.stringOr(30001, illegal(api, name))
	default:
		p.unknown(name)
	}
}

// accounts reads an array of account ids.
func (q *request) accounts(p *scanner, name, info string) {
	q.hasList = true
	if p.next() != '[' {
		p.skip()
		p.refuse(30001, info)
		return
	}
	p.array(func() { q.to = append(q.to, p.stringOr(60015, name+" is not a string")) })
}

func (q *request) pageMember(p *scanner, name string) {
	switch name {
	case "From_Account":
		q.fromMember(p)
	case "StartIndex":
		q.hasStart = true
		q.start = p.integerOr(30001, illegal(apiGet, name))
	case "StandardSequence":
		q.standard = p.integerOr(30001, illegal(apiGet, name))
	case "CustomSequence":
		q.custom = p.integerOr(30001, illegal(apiGet, name))
	default:
		p.unknown(name)
	}
}

// accountMember reads account_check's CheckItem, multiaccount_import's Accounts (old form) and
// AccountList (new form), account_import's UserID (Identifier in old documents).
func (q *request) accountMember(p *scanner, name, api string) {
	const info = "Err_TLS_Invalid_Param"
	switch {
	case api == apiAccountCheck && name == "CheckItem", api == apiAccountsImport && name == "AccountList":
		q.hasList = true
		if p.next() != '[' {
			p.skip()
			p.refuse(70402, info)
			return
		}
		p.array(func() { q.accountItem(p, api) })
	case api == apiAccountsImport && name == "Accounts":
		q.accounts(p, name, info)
	case api == apiAccountImport && (name == "UserID" || name == "Identifier"):
		q.hasList = true
		q.to = append(q.to, p.stringOr(60015, name+" is not a string"))
	case api == apiAccountImport && (name == "Nick" || name == "FaceUrl"):
		p.stringOr(70402, info)
	default:
		p.unknown(name)
	}
}

func (q *request) accountItem(p *scanner, api string) {
	if p.next() != '{' {
		p.skip()
		p.refuse(70402, "Err_TLS_Invalid_Param")
		return
	}
	had := len(q.to)
	p.object(func(name string) {
		switch {
		case name == "UserID":
			q.to = append(q.to, p.stringOr(60015, "UserID is not a string"))
		case api == apiAccountsImport && (name == "Nick" || name == "FaceUrl"):
			p.stringOr(70402, "Err_TLS_Invalid_Param")
		default:
			p.unknown(name)
		}
	})
	if len(q.to) == had {
		p.refuse(70402, "Err_TLS_Invalid_Param")
	}
}

// reset empties q for its next use and lets go of the body.
func (q *request) reset() {
	clear(q.items)
	clear(q.to)
	*q = request{items: q.items[:0], to: q.to[:0]}
}
