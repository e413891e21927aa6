package doctor

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/migrate"
	"friendmigrate/sink"
)

// Reach returns the checks of the connection and the clock. err is the error of the first call to
// endpoint, and contact what its answer showed; nil: there was none.
func Reach(endpoint string, contact *sink.Contact, err error) []Check {
	if contact != nil {
		return []Check{connection(endpoint, contact), compareClocks(contact)}
	}
	check := unreachable("connection", fmt.Sprintf("no answer of %s: %v", endpoint, err),
		"check --region or --endpoint, this machine's resolver, the firewall, and HTTPS_PROXY, set or missing")
	if e, ok := errors.AsType[*migrate.CallError](err); ok && e.Hint != "" { // a certificate or a proxy
		check = bad("connection", e.Info, e.Hint, exit.Refused)
	}
	return []Check{check, skipped("clock", "no answer")}
}

func connection(endpoint string, contact *sink.Contact) Check {
	scheme, host, _ := strings.Cut(endpoint, "://")
	saw := fmt.Sprintf("%s answers in %s%s", host, milliseconds(contact.Took), contact.Via)
	if scheme != "https" {
		return warning("connection", saw+", without TLS",
			"plain HTTP shows the signature to everybody on the way: right for a simulated service only")
	}
	return good("connection", saw)
}

// mostSkew is the clock difference above which doctor warns. Signatures contain this machine's
// time.
const mostSkew = time.Minute

// compareClocks compares this machine's clock with the Date of an answer, which has whole seconds.
func compareClocks(contact *sink.Contact) Check {
	date, err := http.ParseTime(contact.Date)
	if err != nil {
		return skipped("clock", "the answer has no Date to compare with")
	}
	skew := contact.At.Sub(date.Add(time.Second / 2)).Round(time.Second)
	saw := fmt.Sprintf("ahead of the service's by %s", skew)
	if skew < 0 {
		saw = fmt.Sprintf("behind the service's by %s", -skew)
	}
	switch {
	case skew.Abs() > mostSkew:
		return warning("clock", saw, "set the clock (NTP): a UserSig holds the time at which it was made")
	case skew.Abs() <= 2*time.Second:
		saw = "within 2s of the service's"
	}
	return good("clock", saw)
}

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.0f ms", float64(d)/float64(time.Millisecond))
}
