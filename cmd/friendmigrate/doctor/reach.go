package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"time"

	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/migrate/disk"
)

// Way says how to reach the service.
type Way struct {
	Endpoint string // scheme://host[:port]
	CAFile   string
	Timeout  time.Duration
}

// Reach checks the connection to the service with one unsigned request, which is not an API call.
func Reach(ctx context.Context, w Way) []Check {
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, w.Endpoint+"/", nil)
	if err != nil {
		return []Check{bad("connection", "the endpoint is no URL", "check --endpoint", exit.Refused)}
	}
	proxy, err := http.ProxyFromEnvironment(req)
	if err != nil {
		return []Check{bad("connection", "HTTPS_PROXY is no URL", "check HTTPS_PROXY", exit.Refused)}
	}
	roots, err := disk.Wait(ctx, w.roots)
	if ctx.Err() != nil {
		return nil // the caller says so
	}
	if err != nil {
		return []Check{bad("connection", err.Error(), "check --ca-file", exit.Refused)}
	}
	client := &http.Client{
		Timeout: w.Timeout,
		Transport: &http.Transport{Proxy: http.ProxyURL(proxy), DisableKeepAlives: true,
			TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	began := time.Now()
	res, err := client.Do(req)
	took := time.Since(began)
	if err != nil {
		return []Check{unanswered(err, req.URL.Hostname(), proxy), skipped("clock", "no answer")}
	}
	res.Body.Close()
	return []Check{connection(res, took, proxy), compareClocks(res, began.Add(took/2))}
}

func (w Way) roots() (*x509.CertPool, error) {
	if w.CAFile == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(w.CAFile)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("there is no certificate in PEM form in %q", w.CAFile)
	}
	return pool, nil
}

// connection returns the check for an answer that came.
func connection(res *http.Response, took time.Duration, proxy *url.URL) Check {
	saw := fmt.Sprintf("%s answers in %s", res.Request.URL.Host, milliseconds(took))
	if proxy != nil {
		saw += ", through the proxy " + proxy.Host
	}
	if res.TLS == nil {
		return warning("connection", saw+", without TLS",
			"plain HTTP shows the signature to everybody on the way: right for a simulated service only")
	}
	leaf := res.TLS.PeerCertificates[0]
	return good("connection", fmt.Sprintf("%s, %s, certificate by %q until %s", saw, tls.VersionName(res.TLS.Version),
		leaf.Issuer.CommonName, leaf.NotAfter.Format(time.DateOnly)))
}

// unanswered returns the check for a request without an answer.
func unanswered(err error, host string, proxy *url.URL) Check {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err
	}
	_, refused := errors.AsType[*tls.CertificateVerificationError](err)
	switch {
	case refused:
		return bad("connection", "the certificate is refused: "+err.Error(),
			"check --endpoint and the clock; behind a proxy that opens TLS, give its certificate with --ca-file",
			exit.Refused)
	case proxy != nil: // the first call says why the proxy refuses
		return skipped("connection", fmt.Sprintf("no answer of %s through the proxy %s: %v", host, proxy.Host, err))
	case errors.Is(err, http.ErrSchemeMismatch):
		return unreachable("connection", host+" answers in plain HTTP, but --endpoint begins with https://",
			"give --endpoint the port that speaks TLS, or http:// if it is meant (other machines: --allow-plain-http)")
	}
	return unreachable("connection", fmt.Sprintf("no answer of %s: %v", host, err),
		"check --region or --endpoint, this machine's resolver, the firewall, and whether a proxy is needed "+
			"(HTTPS_PROXY)")
}

// mostSkew is the clock difference above which doctor warns. Signatures contain this machine's
// time.
const mostSkew = time.Minute

// compareClocks compares this machine's clock, which showed at, with the Date of an answer, which
// has whole seconds.
func compareClocks(res *http.Response, at time.Time) Check {
	date, err := http.ParseTime(res.Header.Get("Date"))
	if err != nil {
		return skipped("clock", "the answer has no Date to compare with")
	}
	skew := at.Sub(date.Add(time.Second / 2)).Round(time.Second)
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
