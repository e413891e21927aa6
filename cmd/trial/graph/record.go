package graph

import "strconv"

// record is a row before it is written: what may be broken in it is broken here.
type record struct {
	from, to            []byte
	remark, wording     []byte
	remarkTime, addTime []byte // decimal digits, unless broken
	groups              []string
	source              string
	custom              [][]byte // as Options.Custom; empty is absent
}

// fill makes the row at a place.
func (g *Graph) fill(r *record, p place) {
	o := &g.options
	from, to := g.edge(p.edge)
	salt := uint64(0)
	if p.duplicate && p.nth&1 == 1 {
		salt = 1
	}
	if p.bad {
		to = g.strangers + int64(p.nth)
		salt = 2
	}
	r.from = g.ids.append(r.from[:0], from)
	r.to = g.ids.append(r.to[:0], to)
	choice := random{state: mix(o.Seed+2+salt) ^ uint64(p.edge)}
	r.source = o.AddSources[0]
	if len(o.AddSources) > 1 {
		r.source = o.AddSources[choice.below(uint64(len(o.AddSources)))]
	}
	if salt == 1 {
		r.source = otherSource
	}
	if len(o.Fields) > 0 || len(o.Custom) > 0 {
		// A broken record is given up line by line: it must not have a second one.
		g.fillOptional(r, &choice, o.Awkward && !p.bad)
	}
}

func (g *Graph) fillOptional(r *record, choice *random, awkward bool) {
	o := &g.options
	texts := textsFor(o.Unicode)
	r.remark, r.remarkTime, r.wording, r.addTime = r.remark[:0], r.remarkTime[:0], r.wording[:0], r.addTime[:0]
	r.groups = r.groups[:0]
	for _, f := range o.Fields {
		if !choice.chance(o.Fill) {
			continue
		}
		switch f {
		case Remark:
			r.remark = texts.remark(r.remark, choice, awkward)
		case RemarkTime:
			r.remarkTime = appendTime(r.remarkTime, choice)
		case GroupName:
			r.groups = texts.someGroups(r.groups, choice)
		case AddWording:
			r.wording = append(r.wording, pick(texts.wordings, choice)...)
		case AddTime:
			r.addTime = appendTime(r.addTime, choice)
		}
	}
	for len(r.custom) < len(o.Custom) {
		r.custom = append(r.custom, nil)
	}
	for i, c := range o.Custom {
		r.custom[i] = r.custom[i][:0]
		if !choice.chance(o.Fill) {
			continue
		}
		if !c.Integer {
			r.custom[i] = append(r.custom[i], pick(texts.values, choice)...)
			r.custom[i] = append(r.custom[i], ' ')
		}
		r.custom[i] = strconv.AppendUint(r.custom[i], 1+choice.below(99), 10)
	}
}

// appendTime appends a Unix time in seconds between 2014 and 2023.
func appendTime(dst []byte, choice *random) []byte {
	return strconv.AppendUint(dst, 1_400_000_000+choice.below(300_000_000), 10)
}
