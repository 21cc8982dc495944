// A provider of OpenID Connect for tests, which asks nobody for a password.
//
// POST /user with {"email": "...", "groups": [...]} says who logs in next; until then it is a user of mockoidc's own.
package main

import (
	"encoding/json"
	"log"
	"net/http"
	"os"

	"github.com/oauth2-proxy/mockoidc"
)

func main() {
	provider, err := mockoidc.NewServer(nil)
	if err != nil {
		log.Fatal(err)
	}
	provider.ClientID, provider.ClientSecret = os.Getenv("CLIENT_ID"), os.Getenv("CLIENT_SECRET")
	provider.Server = &http.Server{Addr: os.Getenv("HOST")} // by which it is called: part of the issuer

	for path, endpoint := range map[string]http.HandlerFunc{
		mockoidc.AuthorizationEndpoint: provider.Authorize,
		mockoidc.TokenEndpoint:         provider.Token,
		mockoidc.UserinfoEndpoint:      provider.Userinfo,
		mockoidc.JWKSEndpoint:          provider.JWKS,
		mockoidc.DiscoveryEndpoint:     provider.Discovery,
	} {
		http.HandleFunc(path, endpoint)
	}
	http.HandleFunc("POST /user", func(w http.ResponseWriter, r *http.Request) {
		var user struct {
			Email  string
			Groups []string
		}
		if err := json.NewDecoder(r.Body).Decode(&user); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		provider.QueueUser(&mockoidc.MockUser{
			Subject: user.Email, Email: user.Email, EmailVerified: true, Groups: user.Groups,
		})
	})
	log.Fatal(http.ListenAndServe(os.Getenv("LISTEN"), nil))
}
