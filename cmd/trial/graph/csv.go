package graph

import "bytes"

// appendCSVHeader appends the names of the columns, without a line end.
func (o *Options) appendCSVHeader(dst []byte) []byte {
	dst = append(dst, "From_Account,To_Account"...)
	for _, f := range []Field{Remark, RemarkTime, GroupName} {
		if o.has(f) {
			dst = append(append(dst, ','), f...)
		}
	}
	dst = append(dst, ",AddSource"...)
	for _, f := range []Field{AddWording, AddTime} {
		if o.has(f) {
			dst = append(append(dst, ','), f...)
		}
	}
	for _, c := range o.Custom {
		dst = append(append(dst, ','), c.Tag...)
	}
	return dst
}

// appendCSV appends a row, without a line end.
func (o *Options) appendCSV(dst []byte, r *record) []byte {
	dst = appendCSVField(dst, r.from)
	dst = appendCSVField(append(dst, ','), r.to)
	if len(o.Fields) > 0 {
		dst = o.appendCSVFriend(dst, r)
	}
	dst = append(append(dst, ','), r.source...)
	if o.has(AddWording) {
		dst = appendCSVField(append(dst, ','), r.wording)
	}
	if o.has(AddTime) {
		dst = append(append(dst, ','), r.addTime...)
	}
	for i := range o.Custom {
		dst = appendCSVField(append(dst, ','), r.custom[i])
	}
	return dst
}

func (o *Options) appendCSVFriend(dst []byte, r *record) []byte {
	if o.has(Remark) {
		dst = appendCSVField(append(dst, ','), r.remark)
	}
	if o.has(RemarkTime) {
		dst = append(append(dst, ','), r.remarkTime...)
	}
	if o.has(GroupName) {
		dst = append(dst, ',')
		for i, group := range r.groups {
			if i > 0 {
				dst = append(dst, ';')
			}
			dst = append(dst, group...)
		}
	}
	return dst
}

func appendCSVField(dst, field []byte) []byte {
	quote := len(field) > 0 && field[0] == ' '
	for _, c := range field {
		quote = quote || c == ',' || c == '"' || c == '\n' || c == '\r'
	}
	if !quote {
		return append(dst, field...)
	}
	dst = append(dst, '"')
	for {
		i := bytes.IndexByte(field, '"')
		if i < 0 {
			break
		}
		dst = append(append(dst, field[:i]...), `""`...)
		field = field[i+1:]
	}
	return append(append(dst, field...), '"')
}
