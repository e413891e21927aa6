package stage

import (
	"friendmigrate/migrate"
	"friendmigrate/migrate/codec"
)

// Witness hears of the plan while it is being sealed: of every edge that is in it, roster after
// roster, each in its order. nth counts the edges of a roster from 0. e, its lists and texts are
// lent: the next edge takes their place. Rosters come in no particular order, but none comes in
// pieces.
type Witness func(e *migrate.Edge, nth int64)

// lender makes edges of records for one witness. It costs far less than reading the sealed chunks
// again: what is decoded here is in the processor's cache.
type lender struct {
	w      *Writer
	to     Witness // nil: nobody wants to hear
	edge   migrate.Edge
	nth    int64
	extras bool // edge has optional fields
	fields codec.Fields
}

// begin is told of a new roster.
func (l *lender) begin(from []byte) {
	if l.to == nil {
		return
	}
	l.edge.From, l.nth = l.fields.Text(from), 0
}

func (l *lender) lend(r *record[[]byte]) {
	if l.to == nil {
		return
	}
	e := &l.edge
	if l.extras { // most edges have none, and a whole Edge is much to clear
		*e = migrate.Edge{From: e.From}
		l.fields.Reuse()
	}
	e.To, e.AddSource = l.fields.Text(r.to), l.w.sourceText(r)
	e.Position, e.Added = r.order.position(), r.order.added()
	if l.extras = r.flags != 0; l.extras {
		l.fields.Read(&codec.Cursor{Rest: r.extras}, r.flags, e)
	}
	l.to(e, l.nth)
	l.nth++
}
