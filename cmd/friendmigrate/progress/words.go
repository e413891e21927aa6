package progress

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"friendmigrate/sink"
)

// mostUnknown is how many codes that no table knows get a label of their own. They are what one
// wants to see, but a service that answers with a new one each time must not fill somebody's
// Prometheus.
const mostUnknown = 32

const otherWord = "other"

// kinds are how the client names a call without a usable answer.
var kinds = []string{"timeout", "reset", "cut", "refused", "proxy", "dns", "tls", "x509", "unreadable", "oversize",
	"transport"}

// codeWords turns results of calls into labels of a bounded list. A result keeps its label for
// good, so that no counter goes back.
type codeWords struct {
	mu      sync.Mutex // guards what follows
	unknown map[int]bool
}

// ofWebhook: the table knows these as a range, which is a thousand codes.
func ofWebhook(code int) bool { return code >= 38000 && code <= 39000 }

// ofCall is the label of sink.CallCount.Result.
func (w *codeWords) ofCall(result string) string {
	if status, isStatus := strings.CutPrefix(result, "http_"); isStatus {
		if n, err := strconv.Atoi(status); err != nil || http.StatusText(n) == "" {
			return "http_" + otherWord
		}
		return result
	}
	if n, err := strconv.Atoi(result); err == nil {
		return w.ofCode(n)
	}
	if slices.Contains(kinds, result) {
		return result
	}
	return otherWord
}

// ofCode is the label of an ErrorCode, a ResultCode or an HTTP status.
func (w *codeWords) ofCode(code int) string {
	if _, known := sink.LookupCode(code); (known || code == 0) && !ofWebhook(code) {
		return strconv.Itoa(code)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	named, seen := w.unknown[code]
	if !seen && len(w.unknown) < mostUnknown {
		if w.unknown == nil {
			w.unknown = map[int]bool{}
		}
		w.unknown[code], named = true, true
	}
	if named {
		return strconv.Itoa(code)
	}
	return otherWord
}
