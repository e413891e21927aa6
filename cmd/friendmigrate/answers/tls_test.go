package answers

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"sync"
	"testing"
	"time"
)

// authority is a certificate authority of a test.
type authority struct {
	t    testing.TB
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
}

func newAuthority(t testing.TB) *authority {
	a := &authority{t: t}
	a.key = a.newKey()
	a.cert = a.sign(&x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(10 * 365 * 24 * time.Hour),
	}, a.key)
	return a
}

func (a *authority) newKey() *ecdsa.PrivateKey {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	return k
}

func (a *authority) sign(template *x509.Certificate, of *ecdsa.PrivateKey) *x509.Certificate {
	parent := a.cert
	if parent == nil {
		parent = template
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &of.PublicKey, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return c
}

func (a *authority) pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(a.cert)
	return p
}

// server is the configuration of a server with a certificate for host, valid from and until so long
// from now.
func (a *authority) server(host string, from, until time.Duration) *tls.Config {
	k := a.newKey()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: host}, NotBefore: time.Now().Add(from), NotAfter: time.Now().Add(until),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if ip := net.ParseIP(host); ip != nil {
		template.IPAddresses = []net.IP{ip}
	} else {
		template.DNSNames = []string{host}
	}
	c := a.sign(template, k)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{c.Raw}, PrivateKey: k}}}
}

// good is a configuration with a sound certificate for host.
func (a *authority) good(host string) *tls.Config { return a.server(host, -time.Hour, 24*time.Hour) }

// spoiled is a listener and dialler of which some connections come to nothing.
type spoiled struct {
	net.Listener
	dialled func(ctx context.Context, network, address string) (net.Conn, error)

	mu             sync.Mutex
	dials, accepts int

	spoilDial   func(n int) func(ctx context.Context) (net.Conn, error) // nil: the right one
	spoilAccept func(n int) func(net.Conn)                              // the same
	running     sync.WaitGroup
}

func (s *spoiled) dial(ctx context.Context, network, address string) (net.Conn, error) {
	s.mu.Lock()
	s.dials++
	n := s.dials
	s.mu.Unlock()
	if s.spoilDial != nil {
		if instead := s.spoilDial(n); instead != nil {
			return instead(ctx)
		}
	}
	return s.dialled(ctx, network, address)
}

func (s *spoiled) Accept() (net.Conn, error) {
	for {
		c, err := s.Listener.Accept()
		if err != nil {
			return nil, err
		}
		s.mu.Lock()
		s.accepts++
		n := s.accepts
		s.mu.Unlock()
		var instead func(net.Conn)
		if s.spoilAccept != nil {
			instead = s.spoilAccept(n)
		}
		if instead == nil {
			return c, nil
		}
		s.running.Go(func() {
			defer c.Close()
			instead(c)
		})
	}
}
