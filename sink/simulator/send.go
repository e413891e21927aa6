package simulator

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"
)

// send answers the call, or does to it what its fault says.
func (k *call) send() {
	if k.reported { // answered already, while the service was still at work
		return
	}
	if k.gone || k.r.Context().Err() != nil {
		k.leave(true)
		return
	}
	f := k.fault
	if f == nil {
		k.plain()
		return
	}
	switch f.Kind {
	case FaultStatus:
		k.page(f.Code)
	case FaultBody:
		k.odd(bodyKind(f.Name))
	case FaultRaw:
		k.raw(rawKind(f.Name))
	case FaultReset, FaultRefuse:
		k.settle()
		resetConn(k.hijack())
	case FaultClose:
		k.settle()
		k.hijack().Close()
	case FaultCut:
		k.cut()
	case FaultStall, FaultHeadStall, FaultHalfStall:
		k.stall(f)
	case FaultDrip:
		k.drip(defaultTo(f.For, k.c.DripFor))
	default:
		k.plain()
	}
}

// plain is the answer as it should be.
func (k *call) plain() {
	if code := k.refused.code; code == http.StatusTooManyRequests || code == http.StatusRequestEntityTooLarge {
		k.page(code)
		return
	}
	b := k.s.buffers.Get().(*bytes.Buffer)
	defer k.s.buffers.Put(b)
	b.Reset()
	b.Write(k.answer.append(b.AvailableBuffer(), nil)) // in place once the buffer is large enough
	k.code = k.answer.code
	k.writeJSON(b.Bytes())
}

// writeJSON sends a complete answer with HTTP status 200.
func (k *call) writeJSON(body []byte) {
	k.header(len(body))
	k.settle()
	k.write(body)
}

// header prepares an HTTP 200.
func (k *call) header(length int) {
	k.status = http.StatusOK
	h := k.w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(length))
}

// write reports whether the client may still be there.
func (k *call) write(b []byte) bool {
	n, err := k.w.Write(b)
	k.s.tally.wrote(n)
	return err == nil
}

func (k *call) flush() { http.NewResponseController(k.w).Flush() } //nolint:errcheck // the next write tells

// page answers with an HTTP status and a page of HTML, as a gateway does.
func (k *call) page(status int) {
	k.status = status
	h := k.w.Header()
	if status >= 300 && status < 400 {
		to := k.c.RedirectTo
		if to == "" {
			to = "/_sim/redirected"
		}
		h.Set("Location", to)
	}
	if (status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable) && k.c.RetryAfter != "" {
		h.Set("Retry-After", k.c.RetryAfter)
	}
	if status == http.StatusNoContent || status == http.StatusNotModified {
		k.settle()
		k.w.WriteHeader(status)
		return
	}
	title := fmt.Sprintf("%d %s", status, http.StatusText(status))
	body := []byte("<html>\n<head><title>" + title + "</title></head>\n<body><center><h1>" + title +
		"</h1></center></body>\n</html>\n")
	h.Set("Content-Type", "text/html")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	k.settle()
	k.w.WriteHeader(status)
	k.write(body)
}

// hijack takes the connection over. Where that can't be done the handler is aborted, which closes
// it.
func (k *call) hijack() net.Conn {
	c, _, err := http.NewResponseController(k.w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	return c
}

// cut sends half of an answer and closes the connection.
func (k *call) cut() {
	body := k.answer.append(nil, nil)
	k.header(len(body))
	k.settle()
	k.write(body[:len(body)/2])
	k.flush()
	k.hijack().Close()
}

// stall sends nothing, or not enough, and waits until the client goes or the stall is over; then
// the connection is reset.
func (k *call) stall(f *Fault) {
	if f.Kind != FaultStall {
		body := k.answer.append(nil, nil)
		k.header(len(body))
		k.w.WriteHeader(http.StatusOK)
		if f.Kind == FaultHalfStall {
			k.write(body[:len(body)/2])
		}
		k.flush()
	}
	var over <-chan time.Time
	if d := defaultTo(f.For, k.c.StallFor); d > 0 {
		t := time.NewTimer(d)
		defer t.Stop()
		over = t.C
	}
	select {
	case <-k.r.Context().Done():
		k.leave(true)
		return
	case <-over:
	case <-k.s.closed:
	}
	k.settle()
	resetConn(k.hijack())
}

// drip sends the answer in twenty pieces, evenly over some time.
func (k *call) drip(over time.Duration) {
	const pieces = 20
	body := k.answer.append(nil, nil)
	k.code = k.answer.code
	k.header(len(body))
	for i := range pieces {
		part := body[len(body)*i/pieces : len(body)*(i+1)/pieces]
		if i == pieces-1 {
			k.settle()
		}
		if !k.write(part) || k.gone {
			k.leave(true)
			return
		}
		k.flush()
		if i < pieces-1 {
			k.wait(over / pieces)
		}
	}
}

// odd sends an odd body.
func (k *call) odd(kind *oddBody) {
	a, o := k.answer, oddity{victim: -1}
	if kind.shape != nil {
		kind.shape(&a, &o, k.victimIn(&a))
	}
	if kind.stream != nil {
		kind.stream(k, &a, &o)
		return
	}
	body := a.append(nil, &o)
	if kind.bytes != nil {
		body = kind.bytes(body)
	}
	if kind.gzip != nil {
		body = kind.gzip(k, body)
		k.w.Header().Set("Content-Encoding", "gzip")
	}
	if kind.believed {
		k.code = a.code
	}
	k.header(len(body))
	k.settle()
	k.write(body)
}

// victimIn is the place in the answer of the item that an odd body is about, -1 if it has none.
func (k *call) victimIn(a *answer) int {
	if k.victim < 0 {
		return min(0, len(a.items)-1)
	}
	to := ""
	if k.api == apiImport {
		to = k.req.items[k.victim].To
	} else {
		to = k.req.to[k.victim]
	}
	for i := range a.items {
		if a.items[i].to == to {
			return i
		}
	}
	return -1
}

// huge sends 64 MiB: the right answer with a member that is too long to be one.
func (k *call) huge(a *answer, o *oddity) {
	const size, piece = 64 << 20, 64 << 10
	body := a.append(nil, o)
	body = append(body[:len(body)-1], `,"Padding":"`...)
	k.header(len(body) + size + 2)
	filler := bytes.Repeat([]byte("x"), piece)
	ok := k.write(body)
	for sent := 0; sent < size && ok; sent += piece {
		ok = k.write(filler) && k.r.Context().Err() == nil
	}
	if !ok {
		k.leave(true)
		return
	}
	k.settle()
	k.write([]byte(`"}`))
}
