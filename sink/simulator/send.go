package simulator

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// send answers the call, or does what its fault says.
func (k *call) send() {
	if k.gone || k.r.Context().Err() != nil {
		k.leave(true)
		return
	}
	f := cmp.Or(k.fault, &Fault{})
	switch f.Kind {
	case FaultStatus:
		k.page(f.Code)
	case FaultBody:
		k.odd(kindOf(oddBodies, f.Name))
	case FaultRaw:
		k.raw(kindOf(rawAnswers, f.Name))
	case FaultReset, FaultRefuse:
		k.reset()
	case FaultClose, FaultCut:
		k.finish()
		if f.Kind == FaultCut {
			k.begin(true)
		}
		k.hijack().Close()
	case FaultHeadStall, FaultHalfStall:
		k.begin(f.Kind == FaultHalfStall)
		k.stall(f.For)
	case FaultStall:
		k.stall(f.For)
	case FaultDrip:
		k.drip(cmp.Or(f.For, 2*time.Second))
	default:
		k.plain()
	}
}

func (k *call) plain() {
	if code := k.refused.code; code == http.StatusTooManyRequests || code == http.StatusRequestEntityTooLarge {
		k.page(code)
		return
	}
	k.code = k.answer.code
	k.writeJSON(k.answer.json())
}

// writeJSON sends a complete answer with HTTP status 200.
func (k *call) writeJSON(body []byte) {
	k.header(len(body))
	k.finish()
	k.write(body)
}

func (k *call) header(length int) {
	k.status = http.StatusOK
	h := k.w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(length))
}

// write writes b and reports whether the client may still be connected.
func (k *call) write(b []byte) bool {
	_, err := k.w.Write(b)
	return err == nil
}

func (k *call) flush() { http.NewResponseController(k.w).Flush() } //nolint:errcheck // the next write tells

// page answers with an HTTP status and a page of HTML, as a gateway does.
func (k *call) page(status int) {
	k.status = status
	h := k.w.Header()
	if status >= 300 && status < 400 {
		h.Set("Location", "/") // no API, but it counts as a call
	}
	if (status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable) && k.c.RetryAfter != "" {
		h.Set("Retry-After", k.c.RetryAfter)
	}
	if status == http.StatusNoContent || status == http.StatusNotModified {
		k.finish()
		k.w.WriteHeader(status)
		return
	}
	title := fmt.Sprintf("%d %s", status, http.StatusText(status))
	body := fmt.Appendf(nil,
		"<html>\n<head><title>%[1]s</title></head>\n<body><center><h1>%[1]s</h1></center></body>\n"+
			"</html>\n", title)
	h.Set("Content-Type", "text/html")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	k.finish()
	k.w.WriteHeader(status)
	k.write(body)
}

// hijack takes over the connection. If that is impossible it aborts the handler, which closes the
// connection.
func (k *call) hijack() net.Conn {
	c, _, err := http.NewResponseController(k.w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	return c
}

// begin sends the headers of the answer, and half of its body if half is true.
func (k *call) begin(half bool) {
	body := k.answer.json()
	k.header(len(body))
	k.w.WriteHeader(http.StatusOK)
	if half {
		k.write(body[:len(body)/2])
	}
	k.flush()
}

// stall sends nothing more and waits until the client disconnects or the time is over (0: never).
// Then it resets the connection.
func (k *call) stall(over time.Duration) {
	var end <-chan time.Time
	if over > 0 {
		t := time.NewTimer(over)
		defer t.Stop()
		end = t.C
	}
	select {
	case <-k.r.Context().Done():
		k.leave(true)
		return
	case <-end:
	case <-k.s.closed:
	}
	k.reset()
}

func (k *call) reset() {
	k.finish()
	resetConn(k.hijack())
}

// drip sends the answer in twenty pieces, evenly over the given time.
func (k *call) drip(over time.Duration) {
	const pieces = 20
	body := k.answer.json()
	k.code = k.answer.code
	k.header(len(body))
	for i := range pieces {
		part := body[len(body)*i/pieces : len(body)*(i+1)/pieces]
		if i == pieces-1 {
			k.finish()
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

func (k *call) odd(kind *oddBody) {
	body := kind.write(k.answer, k.oddItem(k.answer.items))
	if kind.encoded {
		k.w.Header().Set("Content-Encoding", "gzip")
	}
	if kind.trusted {
		k.code = k.answer.code
	}
	if kind.padding > 0 {
		k.writePadded(body, kind.padding)
		return
	}
	k.writeJSON(body)
}

// writePadded sends an answer with a member of padding bytes at its end. It is sent in pieces,
// because most clients leave before its end.
func (k *call) writePadded(body []byte, padding int) {
	before, after := append(body[:len(body)-1], `,"Padding":"`...), []byte(`"}`)
	k.header(len(before) + padding + len(after))
	k.finish()
	piece := bytes.Repeat([]byte("x"), min(padding, 64<<10))
	sent := k.write(before)
	for ; sent && padding > 0; padding -= len(piece) {
		piece = piece[:min(padding, len(piece))]
		sent = k.write(piece)
	}
	k.write(after)
}

// oddItem returns the index in the answer of the item that an odd body changes: the first item if
// the body names none, -1 if the item is not in the answer.
func (k *call) oddItem(items []result) int {
	if k.oddAccount == "" {
		return min(0, len(items)-1)
	}
	return slices.IndexFunc(items, func(r result) bool { return r.to == k.oddAccount })
}

// rawAnswer is one way to break HTTP: the text that is sent over the connection, which is then
// closed.
type rawAnswer struct {
	trusted bool // a client may take it at its word, so what it says is true
	// text has \n for \r\n. BODY and BODYHALF are the answer, LENGTH, HALF, HEX, HEXHALF their
	// lengths.
	text string
}

const (
	rawOpen  = "HTTP/1.1 200 OK\nContent-Type: application/json\n"
	rawHead  = rawOpen + "Connection: close\n" // so that the next call does not use a connection that is closing
	rawSized = "Content-Length: LENGTH\n\nBODY"
	rawChunk = "Transfer-Encoding: chunked\n\n"
)

// rawAnswers holds every way to break HTTP. It never changes.
var rawAnswers = map[string]*rawAnswer{
	"no-http":         {false, "hello\n\n"},
	"bad-status":      {false, "HTTP/1.1 abc OK\nConnection: close\n" + rawSized},
	"bad-version":     {true, "HTTP/9.9 200 OK\nConnection: close\n" + rawSized},
	"headers-cut":     {false, "HTTP/1.1 200 OK\nContent-Type: applic"},
	"header-bad":      {false, "HTTP/1.1 200 OK\nConnection close\n" + rawSized},
	"header-huge":     {false, rawHead + "X-Filler: FILLER\n\n"},
	"length-short":    {false, rawHead + "Content-Length: HALF\n\nBODY"},
	"length-long":     {false, rawHead + "Content-Length: 1LENGTH\n\nBODY"},
	"length-negative": {false, rawHead + "Content-Length: -1\n\nBODY"},
	"length-twice":    {false, rawHead + "Content-Length: 1\n" + rawSized},
	"chunk-bad":       {false, rawHead + rawChunk + "zz\nBODY"},
	"chunk-cut":       {false, rawHead + rawChunk + "HEX\nBODY\n"},
	"chunk-half":      {false, rawHead + rawChunk + "HEXHALF\nBODYHALF\n"},
	"coding-unknown":  {false, rawHead + "Transfer-Encoding: rot13\n\nBODY"},
	"continues":       {true, strings.Repeat("HTTP/1.1 100 Continue\n\n", 100) + rawHead + rawSized},
	"switching":       {false, "HTTP/1.1 101 Switching Protocols\nConnection: Upgrade\nUpgrade: websocket\n\n"},
	"tls-alert":       {false, "\x15\x03\x01\x00\x02\x02\x28"},
	"http2":           {false, "\x00\x00\x00\x04\x00\x00\x00\x00\x00"},
	"zeros":           {false, strings.Repeat("\x00", 4096)},
	"length-none":     {true, rawHead + "\nBODY"},
	"early-hints":     {true, "HTTP/1.1 103 Early Hints\nLink: </>\n\n" + rawHead + rawSized},
	"bare-newlines":   {true, rawHead + rawSized},
	"two-answers":     {true, rawOpen + rawSized + rawOpen + "Content-Length: 2\n\n{}"},
}

// write returns the bytes that are sent for an answer with this body.
func (r *rawAnswer) write(body string) string {
	half := body[:len(body)/2]
	text := r.text
	if r != rawAnswers["bare-newlines"] {
		text = strings.ReplaceAll(text, "\n", "\r\n")
	}
	text = strings.NewReplacer(
		"LENGTH", strconv.Itoa(len(body)), "BODYHALF", half, "BODY", body,
		"HEXHALF", strconv.FormatInt(int64(len(half)), 16), "HEX", strconv.FormatInt(int64(len(body)), 16),
		"HALF", strconv.Itoa(len(half)),
	).Replace(text)
	if r == rawAnswers["header-huge"] {
		text = strings.Replace(text, "FILLER", strings.Repeat("x", 12<<20), 1)
	}
	return text
}

// RawKinds returns the names of the ways to break HTTP: NAME in the fault raw:NAME.
func RawKinds() []string { return slices.Sorted(maps.Keys(rawAnswers)) }

func (k *call) raw(kind *rawAnswer) {
	if kind.trusted {
		k.code, k.status = k.answer.code, http.StatusOK
	}
	text := kind.write(string(k.answer.json()))
	conn := k.hijack()
	defer conn.Close()
	k.finish()
	conn.Write([]byte(text)) //nolint:errcheck // the client may disconnect before it has read all of it
}
