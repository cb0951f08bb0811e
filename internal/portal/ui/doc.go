// Package ui holds the components of the pages: the frame, cards, forms, tables
// and what an officer compares with. A page is a templ component that calls
// them:
//
//	templ Profile(p ui.Page, e Employee) {
//		@ui.Layout(p) {
//			@ui.Card(ui.CardProps{Title: i18n.T(ctx, "ui.help")}) {
//				@ui.DescriptionList([]ui.Term{{Label: "NIP", Value: e.NIP, Code: true}})
//			}
//		}
//	}
//
// # Frame
//
// Layout has the sidebar and is for people who are signed in; PlainLayout is for
// signing in, links from mails and public pages. Both take a Page. The frame
// prints the h1 from Page.Title unless HideTitle is set; every page has exactly
// one h1, cards have h2. Mount PreferencesHandler at POST /preferences and
// assets.Handler at assets.Prefix; fill Page.Theme from PreferencesOf and the
// context from i18n.With. WithCSRF puts a token into every form.
//
// # Texts
//
// Every string in the props is ready to show: call i18n.T for it. Messages live
// in internal/portal/locales, one area.id.toml and one area.en.toml per area; the tests of
// package i18n hold both languages together and find keys without a text.
//
// # Forms
//
//	@ui.ErrorSummary(errors)
//	@ui.Form(ui.FormProps{Action: "/evidence", Multipart: true}) {
//		@ui.Field(ui.FieldProps{Name: "nik", Label: "NIK", InputMode: "numeric", Error: …})
//		@ui.Buttons() { @ui.Button(ui.ButtonProps{Label: …}) }
//	}
//
// A FieldError's ID is the field's ID (its Name by default), so that the summary
// leads to it. Answer a failed form with 422 and the whole page: scripts that
// sent it in the background show that page. Forms are sent once: a second click
// is ignored in the browser, and the server is idempotent all the same.
//
// # Scripts
//
// Everything works without JavaScript. With it, app.js adds, by attribute:
//
//	data-live="/path"     event stream; "refresh" reloads this element, "swap" replaces its content
//	data-once             a form is sent once
//	data-guard            asks before leaving with unsaved input
//	data-upload           a form shows the progress of its upload
//	data-copy="text"      copies
//	data-autosubmit       a select or checkbox sends its form when it changes
//	data-scroll-end="id"  a button or checkbox is enabled once the element was read to its end
//
// The pages follow the policy default-src 'none' with 'self' for scripts and
// styles: no style attributes, no inline scripts.
package ui
