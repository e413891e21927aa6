package objects

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"friendmigrate/migrate"
)

// Config says where a store is and how it is read. Empty fields are set from Env; the default store
// is AWS.
type Config struct {
	Endpoint   string            // scheme://host[:port]; "": AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, or AWS
	Region     string            // "": AWS_REGION, AWS_DEFAULT_REGION, or what the endpoint's host says
	Addressing string            // Auto, Path or Virtual; "": Auto
	PlainHTTP  bool              // allows http:// to other machines
	CAFile     string            // PEM; AWS_CA_BUNDLE wins; "": the system's
	Env        map[string]string // the environment; AWS_... variables are read
	UserAgent  string            // "name/version"

	Patience time.Duration        // how long to try again if a store that has answered before stops answering
	Pause    time.Duration        // longest before the second attempt; then it doubles; 0: half a second
	Warn     func(message string) // called when a store stops answering; may be nil
}

// How a bucket is named in a request.
const (
	Auto    = "auto"    // virtual for AWS and stores that are known to need it, else path
	Path    = "path"    // https://host/bucket/key
	Virtual = "virtual" // https://bucket.host/key
)

// aws is the endpoint of AWS; the client finds the host of the region.
const aws = "https://s3.amazonaws.com"

// Limits of connections and answers.
const (
	dialTimeout   = 15 * time.Second
	headerTimeout = 30 * time.Second // from the request to the first byte of the answer
	queryTimeout  = 2 * time.Minute  // for a whole answer that is not an object
	stallTimeout  = time.Minute      // between two bytes of an object
	headerLimit   = 64 << 10
	firstPause    = 500 * time.Millisecond
	mostPause     = 30 * time.Second
)

// Store is an S3 store.
type Store struct {
	core     minio.Core
	scrub    func(string) string
	unsigned bool // no credentials were found, so requests are anonymous
	region   string
	patience time.Duration
	pause    migrate.RetryPolicy // between attempts
	stall    time.Duration
	warn     func(message string)
	answered atomic.Bool // it has answered a request
}

// Check returns the error of New about where the store is, which does not depend on this machine.
func (c Config) Check() error {
	endpoint, err := c.endpoint()
	if err == nil {
		_, err = c.client(endpoint, minio.Options{})
	}
	return err
}

// New returns a Store. It sends no request to the store. An error is about the settings.
func New(c Config) (*Store, error) {
	endpoint, err := c.endpoint()
	if err != nil {
		return nil, err
	}
	transport, err := c.transport()
	if err != nil {
		return nil, err
	}
	region := c.region(endpoint)
	found, err := findCredentials(c.Env, endpoint.Hostname() == strings.TrimPrefix(aws, "https://"), region)
	if err != nil {
		return nil, err
	}
	client, err := c.client(endpoint, minio.Options{
		Creds: credentials.New(found.provider), Transport: transport, Region: region,
		MaxRetries: 1, // Store.after repeats: it warns, keeps to Patience and ends with the context
	})
	if err != nil {
		return nil, err
	}
	if name, version, ok := strings.Cut(c.UserAgent, "/"); ok {
		client.SetAppInfo(name, version)
	}
	s := &Store{
		core: minio.Core{Client: client}, scrub: found.scrub, unsigned: found.provider == anonymous, region: region,
		pause:    migrate.RetryPolicy{Base: cmp.Or(c.Pause, firstPause), Cap: mostPause},
		patience: c.Patience, stall: stallTimeout, warn: c.Warn,
	}
	if s.warn == nil {
		s.warn = func(string) {}
	}
	return s, nil
}

// client returns the client of the store at an endpoint.
func (c *Config) client(endpoint *url.URL, o minio.Options) (*minio.Client, error) {
	o.Secure, o.BucketLookup = endpoint.Scheme == "https", c.lookup(endpoint.Hostname())
	client, err := minio.New(endpoint.Host, &o)
	if err != nil {
		return nil, fmt.Errorf("--s3-endpoint: %w", err)
	}
	return client, nil
}

// endpoint returns the URL of the store. Errors do not quote the setting, which may contain a
// secret.
func (c *Config) endpoint() (*url.URL, error) {
	text, from := c.Endpoint, "--s3-endpoint"
	for _, name := range []string{"AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"} {
		if text == "" {
			text, from = c.Env[name], name
		}
	}
	u, err := url.Parse(cmp.Or(text, aws))
	if err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, fmt.Errorf("%s has to be the URL of an S3 store, such as https://cos.ap-guangzhou.myqcloud.com",
			from)
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.Trim(u.Path, "/") != "" {
		return nil, fmt.Errorf("%s is scheme, host and port alone: no user, path or query", from)
	}
	if u.Scheme == "http" && !c.PlainHTTP && !loopback(u.Hostname()) {
		return nil, fmt.Errorf("%s http://%s would send the input in plain text: use https, or --allow-plain-http if "+
			"that is what you want", from, u.Host)
	}
	return u, nil
}

func loopback(host string) bool {
	if ip := net.ParseIP(host); ip != nil {
		return ip.IsLoopback()
	}
	return strings.EqualFold(host, "localhost")
}

// region returns the region for which requests are signed; "" lets the client ask AWS where a
// bucket is. The region in a COS host wins over variables that were set for AWS.
func (c *Config) region(endpoint *url.URL) string {
	if c.Region != "" {
		return c.Region
	}
	host := strings.Split(endpoint.Hostname(), ".")
	if cos(endpoint.Hostname()) && len(host) > 3 && (host[0] == "cos" || host[0] == "cos-internal") {
		return host[1]
	}
	if region := cmp.Or(c.Env["AWS_REGION"], c.Env["AWS_DEFAULT_REGION"]); region != "" {
		return region
	}
	if strings.Contains(endpoint.Hostname(), ".amazonaws.com") {
		return ""
	}
	return "us-east-1" // for stores without regions
}

// cos reports whether a host belongs to Tencent's object storage.
func cos(host string) bool {
	return strings.HasSuffix(host, ".myqcloud.com") || strings.HasSuffix(host, ".tencentcos.cn") ||
		strings.HasSuffix(host, ".tencentcos.com")
}

func (c *Config) lookup(host string) minio.BucketLookupType {
	switch {
	case c.Addressing == Path:
		return minio.BucketLookupPath
	case c.Addressing == Virtual || cos(host): // COS refuses Path
		return minio.BucketLookupDNS
	}
	return minio.BucketLookupAuto
}

// transport returns the HTTP transport. It does not unpack an object that is stored with
// Content-Encoding: gzip, because the digest is of the stored bytes.
func (c *Config) transport() (*http.Transport, error) {
	roots, err := c.roots()
	if err != nil {
		return nil, err
	}
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: dialTimeout, KeepAlive: 30 * time.Second}).DialContext,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots},
		TLSHandshakeTimeout:    dialTimeout,
		ResponseHeaderTimeout:  headerTimeout,
		IdleConnTimeout:        30 * time.Second,
		MaxIdleConnsPerHost:    2,
		MaxResponseHeaderBytes: headerLimit,
		DisableCompression:     true,
	}, nil
}

func (c *Config) roots() (*x509.CertPool, error) {
	file, from := c.Env["AWS_CA_BUNDLE"], "AWS_CA_BUNDLE"
	if file == "" {
		file, from = c.CAFile, "--ca-file"
	}
	if file == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", from, err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s: there is no certificate in PEM form in %q", from, file)
	}
	return pool, nil
}
