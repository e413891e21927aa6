package simulator

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// rawAnswer is one way to break HTTP: what is sent over the connection, which is closed then.
type rawAnswer struct {
	believed bool // a client may take it at its word, so what it says is true
	// text has \n for \r\n. BODY and BODYHALF are the answer, LENGTH, HALF, HEX, HEXHALF their lengths.
	text string
}

const (
	rawOpen  = "HTTP/1.1 200 OK\nContent-Type: application/json\n"
	rawHead  = rawOpen + "Connection: close\n" // else the next call could meet the end of the connection
	rawSized = "Content-Length: LENGTH\n\nBODY"
	rawChunk = "Transfer-Encoding: chunked\n\n"
)

// rawAnswers is every way to break HTTP. It never changes.
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

// write is what is sent in place of the answer body.
func (r *rawAnswer) write(body string) string {
	half := body[:len(body)/2]
	text := r.text
	if r != rawAnswers["bare-newlines"] {
		text = strings.ReplaceAll(text, "\n", "\r\n")
	}
	if r == rawAnswers["header-huge"] {
		text = strings.Replace(text, "FILLER", strings.Repeat("x", 12<<20), 1)
	}
	return strings.NewReplacer(
		"LENGTH", strconv.Itoa(len(body)), "BODYHALF", half, "BODY", body,
		"HEXHALF", strconv.FormatInt(int64(len(half)), 16), "HEX", strconv.FormatInt(int64(len(body)), 16),
		"HALF", strconv.Itoa(len(half)),
	).Replace(text)
}

// RawKinds lists the kinds of broken HTTP: names for Faults.Raw and raw:NAME.
func RawKinds() []string { return slices.Sorted(maps.Keys(rawAnswers)) }

// raw sends broken HTTP and closes the connection.
func (k *call) raw(kind *rawAnswer) {
	if kind.believed {
		k.code, k.status = k.answer.code, http.StatusOK
	}
	text := kind.write(string(k.answer.json()))
	conn := k.hijack()
	defer conn.Close()
	k.settle()
	conn.Write([]byte(text)) //nolint:errcheck // the client may go before it has taken all of it
}
