package graph

// fan is accounts with the same number of friends each, fewer only for the last, in rows of consecutive numbers: nobody's edge leads back to them.
type fan struct {
	first   int64 // number of the first of these accounts
	total   int64 // edges
	each    int64 // friends of one account
	circle  int64 // friends are the accounts [0, circle) where these are enough
	outside int64 // else numbers from here on
}

func (f *fan) rosters() int64 {
	if f.total == 0 {
		return 0
	}
	return (f.total + f.each - 1) / f.each
}

func (f *fan) calls() int64 {
	if f.total == 0 {
		return 0
	}
	whole := f.total / f.each
	return whole*callsFor(f.each) + callsFor(f.total-whole*f.each)
}

func (f *fan) largest() int64 { return min(f.each, f.total) }

func (f *fan) edge(i int64) (from, to int64) {
	account := i / f.each
	friend := i - account*f.each
	if f.circle < f.each {
		return f.first + account, f.outside + friend
	}
	// Each account of the fan begins elsewhere. The product is far below 2^63: the accounts are at most 2^36, and so are all edges.
	return f.first + account, (account%f.circle*(f.circle/3+1) + friend) % f.circle
}

func (f *fan) friendsOf(account int64) int64 {
	return min(f.each, f.total-(account-f.first)*f.each)
}
