package adminapi_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/poolscope/poolscope/internal/account"
	"github.com/poolscope/poolscope/internal/api/adminapi"
)

// fakeAudit has entries with IDs 1 to n.
type fakeAudit struct {
	n     int64
	err   error
	asked account.ActionFilter
}

func (f *fakeAudit) Actions(_ context.Context, filter account.ActionFilter) (list []account.Action, err error) {
	f.asked = filter
	for id := f.n; id > 0 && len(list) < filter.Limit; id-- {
		if filter.Before == 0 || id < filter.Before {
			list = append(list, account.Action{ID: id, At: now(), User: "ada", Address: "192.0.2.1", Name: "ban.add", Target: fmt.Sprint(id), Failed: id == 1})
		}
	}
	return list, f.err
}

// TestAuditPages reads the whole trail a page at a time.
func TestAuditPages(t *testing.T) {
	for _, n := range []int64{0, 1, 9, 10, 11, 25} {
		r := newRig(t, adminapi.Sources{Audit: &fakeAudit{n: n}})
		path, want := "/api/admin/audit?limit=10", n
		for range 4 {
			var page struct {
				Actions []struct {
					ID     int64
					User   string
					Failed bool
				}
				Next int64
			}
			r.get(path, &page)
			for _, a := range page.Actions {
				if a.ID != want || a.User != "ada" || a.Failed != (a.ID == 1) {
					t.Errorf("of %d: %+v, want %d", n, a, want)
				}
				want--
			}
			if path = fmt.Sprint("/api/admin/audit?limit=10&before=", page.Next); page.Next == 0 {
				break
			}
		}
		if want != 0 {
			t.Errorf("of %d entries %d were not read", n, want)
		}
	}
}

func TestAuditRequests(t *testing.T) {
	audit := &fakeAudit{n: 3}
	r := newRig(t, adminapi.Sources{Audit: audit})
	r.want(signedIn, http.MethodGet, "/api/admin/audit?q=%20Ada%20", "", http.StatusOK, "")
	if audit.asked.Query != "Ada" || audit.asked.Before != 0 {
		t.Errorf("asked for %+v", audit.asked)
	}
	for _, bad := range []string{"before=0", "before=-1", "before=x", "limit=0", "limit=1001", "limit=x"} {
		r.want(signedIn, http.MethodGet, "/api/admin/audit?"+bad, "", http.StatusBadRequest, "must be a number")
	}
	audit.err = errors.New("disk")
	r.want(signedIn, http.MethodGet, "/api/admin/audit", "", http.StatusInternalServerError, "could not be read")
}
