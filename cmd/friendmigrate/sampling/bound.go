package sampling

import "math"

// Confidence of Bound.
const Confidence = 0.95

// Name says which bound Bound is, for whoever wants to check it.
const Name = "Clopper-Pearson, one-sided, 95 %"

// Bound is the share of a population that is bad at most, with 95 % confidence, when bad of n
// members drawn from it were: the upper limit of the one-sided exact (Clopper-Pearson) interval. It
// is exact for draws with replacement and on the safe side for those without. With none bad it is
// about 3/n.
func Bound(n, bad int64) float64 {
	if n <= 0 || bad >= n {
		return 1
	}
	// The largest p with P(X <= bad) >= 5 % for X binomial in n and p. P falls in p, so halving
	// finds it.
	low, high := 0.0, 1.0
	for range 200 {
		p := low + (high-low)/2
		if p <= low || p >= high {
			break
		}
		if atMost(n, bad, p) >= 1-Confidence {
			low = p
		} else {
			high = p
		}
	}
	return high
}

// atMost is P(X <= k) for X binomial in n and p: the regularized incomplete beta function I of 1-p
// at n-k and k+1.
func atMost(n, k int64, p float64) float64 {
	return incompleteBeta(float64(n-k), float64(k+1), 1-p, p)
}

// incompleteBeta is I_x(a,b), by its continued fraction (Abramowitz and Stegun 26.5.8, evaluated by
// Lentz's method). y is 1-x.
func incompleteBeta(a, b, x, y float64) float64 {
	switch {
	case x <= 0:
		return 0
	case y <= 0:
		return 1
	case x > (a+1)/(a+b+2): // where the fraction converges slowly, that of the complement does quickly
		return 1 - incompleteBeta(b, a, y, x)
	}
	la, _ := math.Lgamma(a)
	lb, _ := math.Lgamma(b)
	lab, _ := math.Lgamma(a + b)
	front := math.Exp(lab-la-lb+a*math.Log(x)+b*math.Log(y)) / a
	const tiny, enough = 1e-300, 1e-15
	f, c, d := 1.0, 1.0, 0.0
	for i := range 100_000 {
		d = 1 + term(i, a, b, x)*d
		if math.Abs(d) < tiny {
			d = tiny
		}
		c = 1 + term(i, a, b, x)/c
		if math.Abs(c) < tiny {
			c = tiny
		}
		d = 1 / d
		f *= c * d
		if math.Abs(1-c*d) < enough {
			break
		}
	}
	return front * (f - 1)
}

// term is the i-th numerator of the fraction.
func term(i int, a, b, x float64) float64 {
	m := float64(i / 2)
	switch {
	case i == 0:
		return 1
	case i%2 == 0:
		return m * (b - m) * x / ((a + 2*m - 1) * (a + 2*m))
	}
	return -(a + m) * (a + b + m) * x / ((a + 2*m) * (a + 2*m + 1))
}
