/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A session, judged again: what its login left in its Class -> the same check flow -> a decision. There is no certificate any more; what was
 * proved by it is taken as proved (the User-Name, the names that must agree, SIDs that confirm), and what the directories and the policy
 * say today is asked anew.
 *
 * What follows from a second decision:
 *	allow					the session stays; certdir_class_changed() tells whether it belongs elsewhere now
 *	deny, only_compliance, in quarantine	the session stays: it is where such devices are
 *	deny					the session ends, if live directories were asked, too, or there are none
 *	unsure					nothing: who cannot be asked ends nobody's session
 */
#ifndef CERTDIR_AGAIN_H
#define CERTDIR_AGAIN_H

#include "checker.h"
#include "sessions/class.h"

/*
 * What judges a login again, of a `check` whose decision allows, or denies for compliance alone (a site may let it into quarantine).
 * class->id_count is 0 where nothing would find the device again.
 */
void certdir_class_of(struct certdir_class *class, const struct certdir_check *check, const char *instance,
		      int64_t now);

/*
 * The same of a `check` that denies, or cannot tell, and whose login is let in all the same, because certdir only observes: it is judged
 * again by what the certificate says, as its login would be. class->id_count is 0 where the certificate says nothing or was refused itself,
 * and where the login was denied for what it alone shows, its User-Name.
 */
void certdir_class_of_observed(struct certdir_class *class, const struct certdir_check *check, const char *instance,
			       int64_t now);

/*
 * Judges it again by the checker of today. Without `live` the lists alone are asked, as if there was no LDAP directory: what they allow is
 * allowed, but what they deny has to be denied with `live` as well before anybody is disconnected, since LDAP may be who knows the
 * device. Always ends in a decision; certdir_check_clear() frees what `check` holds. May take as long as a login: not for a thread that
 * must not wait, where `live`.
 */
void certdir_check_again(struct certdir_check *check, const struct certdir_checker *checker,
			 const struct certdir_class *class, bool live, int64_t now);

/* Whether a second decision lets the session stay on the network: an allow, or quarantine for one that is in quarantine. */
bool certdir_class_stays(const struct certdir_class *class, const struct certdir_check *check);

/*
 * Whether a device that may stay would be told another VLAN by now: its groups are others, or it is no longer what it was let in as, in
 * quarantine or by old facts. False while that cannot be known, because somebody did not answer or what he said is old: an outage moves
 * nobody.
 */
bool certdir_class_changed(const struct certdir_class *class, const struct certdir_check *check);

/*
 * When the session has been told what follows from that second decision: the class as it is from then on, to be sealed anew. All else in it
 * stays, `issued` included.
 */
void certdir_class_renew(struct certdir_class *class, const struct certdir_check *check);

#endif
