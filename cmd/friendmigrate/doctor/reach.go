package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/migrate/disk"
)

// Way is how the service is reached.
type Way struct {
	Endpoint string // scheme://host[:port]
	CAFile   string
	Timeout  time.Duration
}

// The names of the checks of the way there.
const (
	nameDNS   = "DNS"
	nameTLS   = "TCP and TLS"
	nameClock = "clock"
)

// Reach looks at the way to the service, without a signature and without a call of any API.
func Reach(ctx context.Context, w Way) []Check {
	u, err := url.Parse(w.Endpoint)
	if err != nil {
		return []Check{bad(nameDNS, "the endpoint is no URL", "check --endpoint", exit.Refused)}
	}
	proxy, err := http.ProxyFromEnvironment(&http.Request{URL: u})
	if err != nil {
		return []Check{bad(nameDNS, "HTTPS_PROXY is no URL", "check HTTPS_PROXY", exit.Refused)}
	}
	roots, err := disk.Wait(ctx, w.roots)
	if ctx.Err() != nil {
		return nil // the caller says so
	}
	if err != nil {
		return []Check{bad(nameTLS, err.Error(), "check --ca-file", exit.Refused)}
	}
	var checks []Check
	if proxy != nil {
		text := fmt.Sprintf("%s is reached through the proxy %s", u.Hostname(), proxy.Host)
		checks = append(checks, skipped(nameDNS, text), skipped(nameTLS, text))
	} else {
		checks = append(checks, w.resolve(ctx, u))
		if checks[0].Level == Failed {
			return append(checks, skipped(nameTLS, "no address"), skipped(nameClock, "no connection"))
		}
		checks = append(checks, w.connect(ctx, u, roots))
		if checks[1].Level == Failed {
			return append(checks, skipped(nameClock, "no connection"))
		}
	}
	clock := w.clock(ctx, roots)
	if proxy != nil && clock.Level == Failed {
		clock = skipped(nameClock, clock.Saw) // the first call says what the proxy has against it
	}
	return append(checks, clock)
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

func (w Way) resolve(ctx context.Context, u *url.URL) Check {
	host := u.Hostname()
	if net.ParseIP(host) != nil {
		return good(nameDNS, host+" is an address")
	}
	ctx, cancel := context.WithTimeout(ctx, w.Timeout)
	defer cancel()
	began := time.Now()
	addresses, err := net.DefaultResolver.LookupHost(ctx, host)
	if err != nil {
		return unreachable(nameDNS, fmt.Sprintf("%s has no address: %v", host, err),
			"check --region or --endpoint, and the resolver of this machine")
	}
	return good(nameDNS, fmt.Sprintf("%s is %s, in %s", host, strings.Join(addresses, ", "),
		milliseconds(time.Since(began))))
}

// connect opens a connection, and for https makes the handshake.
func (w Way) connect(ctx context.Context, u *url.URL, roots *x509.CertPool) Check {
	port := u.Port()
	if port == "" {
		port = map[string]string{"https": "443", "http": "80"}[u.Scheme]
	}
	address := net.JoinHostPort(u.Hostname(), port)
	ctx, cancel := context.WithTimeout(ctx, w.Timeout)
	defer cancel()
	began := time.Now()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return unreachable(nameTLS, fmt.Sprintf("no connection to %s: %v", address, err),
			"check the firewall and whether a proxy is needed (HTTPS_PROXY)")
	}
	defer conn.Close()
	took := time.Since(began)
	if u.Scheme != "https" {
		return warning(nameTLS, fmt.Sprintf("connected to %s in %s, without TLS", address, milliseconds(took)),
			"plain HTTP shows the signature to everybody on the way: right for a simulated service only")
	}
	secured := tls.Client(conn, &tls.Config{ServerName: u.Hostname(), RootCAs: roots, MinVersion: tls.VersionTLS12})
	if err := secured.HandshakeContext(ctx); err != nil {
		if certificate(err) {
			return bad(nameTLS, "the certificate is refused: "+err.Error(),
				"check --endpoint and the clock; behind a proxy that opens TLS, give its certificate with --ca-file",
				exit.Refused)
		}
		return unreachable(nameTLS, "no TLS connection: "+err.Error(),
			"check the firewall and whether a proxy is needed (HTTPS_PROXY)")
	}
	state := secured.ConnectionState()
	leaf := state.PeerCertificates[0]
	saw := fmt.Sprintf("connected to %s in %s, %s in %s, certificate by %q until %s", address, milliseconds(took),
		tls.VersionName(state.Version),
		milliseconds(time.Since(began)-took), leaf.Issuer.CommonName, leaf.NotAfter.Format(time.DateOnly))
	return good(nameTLS, saw)
}

func certificate(err error) bool {
	var verify *tls.CertificateVerificationError
	return errors.As(err, &verify)
}

// mostSkew is from where on the clock deserves a look: a signature says when it was made, in this
// machine's time.
const mostSkew = time.Minute

// clock compares this machine's clock with the Date of an answer. The request has no signature, so
// it is no call of an API.
func (w Way) clock(ctx context.Context, roots *x509.CertPool) Check {
	client := &http.Client{
		Timeout: w.Timeout,
		Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: &tls.Config{RootCAs: roots,
			MinVersion: tls.VersionTLS12}, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, w.Endpoint+"/", nil)
	if err != nil {
		return skipped(nameClock, err.Error())
	}
	began := time.Now()
	res, err := client.Do(req)
	if err != nil {
		var wrapped *url.Error
		if errors.As(err, &wrapped) {
			err = wrapped.Err
		}
		return unreachable(nameClock, "no answer over HTTP: "+err.Error(),
			"check whether something on the way answers in the service's place")
	}
	defer res.Body.Close()
	middle := began.Add(time.Since(began) / 2)
	date, err := http.ParseTime(res.Header.Get("Date"))
	if err != nil {
		return skipped(nameClock, "the answer has no Date to compare with")
	}
	skew := middle.Sub(date.Add(time.Second / 2)).Round(time.Second) // Date has whole seconds
	switch {
	case skew > mostSkew || skew < -mostSkew:
		return warning(nameClock, fmt.Sprintf("this machine's clock is %s the service's by %s", aheadBehind(skew),
			skew.Abs()), "set the clock (NTP): a UserSig holds the time at which it was made")
	case skew.Abs() <= 2*time.Second:
		return good(nameClock, "within 2s of the service's")
	}
	return good(nameClock, fmt.Sprintf("%s the service's by %s", aheadBehind(skew), skew.Abs()))
}

func aheadBehind(skew time.Duration) string {
	if skew > 0 {
		return "ahead of"
	}
	return "behind"
}

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.0f ms", float64(d)/float64(time.Millisecond))
}
