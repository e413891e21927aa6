package simulator

// exists reports whether an account was imported.
func (s *Server) exists(c *Config, id string) bool {
	if c.Accounts == nil && c.Missing == nil && c.MissingShare == 0 {
		return true
	}
	s.imported.RLock()
	came := s.imported.ids.Has(id)
	s.imported.RUnlock()
	switch {
	case came:
		return true
	case c.Missing.Has(id), c.Accounts != nil && !c.Accounts(id):
		return false
	}
	return c.MissingShare == 0 || draw(c.Seed, drawMissing, accountHash(id), 0) >= c.MissingShare
}

// admit imports an account, unless the app has as many as it may have (0: no limit).
func (s *Server) admit(id string, most int) bool {
	s.imported.Lock()
	defer s.imported.Unlock()
	if most > 0 && len(s.imported.ids) >= most {
		return false
	}
	s.imported.ids[id] = struct{}{}
	return true
}

// checkAccounts is account_check.
func (k *call) checkAccounts() answer {
	a := k.success()
	for _, id := range k.req.to {
		status := "NotImported"
		if k.s.exists(k.c, id) {
			status = "Imported"
		}
		a.items = append(a.items, result{to: id, members: `"AccountStatus":"` + status + `"`})
	}
	k.counts.AccountsChecked = int64(len(a.items))
	k.order(a.items)
	return a
}

// importAccounts is multiaccount_import.
func (k *call) importAccounts() answer {
	a := k.success()
	for _, id := range k.req.to {
		switch {
		case k.c.Refused.Has(id):
			a.items = append(a.items, result{to: id, code: 70402}) // named in FailAccounts, without a code
		case k.s.exists(k.c, id):
		case k.s.admit(id, k.c.MaxAccounts):
			k.counts.AccountsImported++
		default:
			return k.failure(k.api.refuse(70398))
		}
	}
	return a
}
