"""The words of the help page: what each role does here, and what some pages are for."""

from collections.abc import Mapping

from trial.access.policy import Role

ROLES: Mapping[str, tuple[str, ...]] = {
    Role.COORDINATOR: (
        "My tasks shows what is overdue, due today and due in the next 7 days at your site. Start there.",
        "“Screen a new person” records a referral. “Bring in a list” reads referrals from a spreadsheet.",
        "The page of a person has a box “Next step”. It always names the step that is next, or why nothing is due.",
        "Questionnaire links go out by plan. The page of a person leads to those of each open visit: send one again,"
        " stop them, or say that an e-mail came back.",
        "A wrong status cannot be changed back by you. Ask the data manager to take it back.",
        "Contact details are hidden until you open them. Each time you do is logged.",
    ),
    Role.RANDOMISER: (
        "Open the person and choose “Randomise”. The page lists what is missing, each with the way to it.",
        "You confirm the stratification factors and sign with your password or code. It cannot be undone.",
        "If you are not sure, ring the trial office before you press the button.",
    ),
    Role.ACTIVITY_LEADER: (
        "The register shows your own sessions. Choose one, confirm the risk check, then mark each person.",
        "Marks are saved one by one. A change of mind is a new mark: nothing is lost.",
        "The session is finished when everybody has a mark.",
        "If you are worried about somebody, choose “Report a concern”. In danger to life, ring 999 first.",
    ),
    Role.OUTCOME_ASSESSOR: (
        "My tasks shows the questionnaires to collect at your site.",
        "You must not learn which group a person is in, and no page shows you. If you do learn it, choose"
        " “Someone has found out by mistake” on the page of the person.",
        "Read questions exactly as they stand. “Prefer not to answer” is always an answer.",
    ),
    Role.PRINCIPAL_INVESTIGATOR: (
        "Overview shows recruitment, questionnaires returned and safety events that wait for you.",
        "You sign eligibility and, before the lock, the data of each participant. Signing asks for your password"
        " or code again.",
        "The delegation log says who may take consent, sign eligibility, randomise and assess risk at your site.",
    ),
    Role.CHIEF_INVESTIGATOR: (
        "Overview shows all sites. Risk alerts that nobody acknowledged in time come to you.",
        "You review adverse events and deviations, and agree to locks.",
    ),
    Role.DUTY_CLINICIAN: (
        "Safety shows the risk alerts of your site. Acknowledge one to say that you are on it.",
        "An alert closes only with a grade and an action. Grades that the protocol names take a second person.",
    ),
    Role.SAFEGUARDING_LEAD: (
        "Safety shows safeguarding concerns. Only you, the principal investigator and whoever reported one see it.",
    ),
    Role.TRIAL_MANAGER: (
        "Overview shows all sites against their targets.",
        "You keep the delegation logs, pause recruitment at a site, record licences and open the randomisation.",
    ),
    Role.DATA_MANAGER: (
        "Data shows what is missing by visit and site, the age of queries, and what stands before a lock.",
        "You raise and close queries, take back a status with an investigator, make data cuts and ask for the lock.",
    ),
    Role.MONITOR: (
        "Monitoring shows consents and answers to compare with the source. You read everything and change nothing.",
        "Raise a query from the answer itself.",
    ),
    Role.SPONSOR_REVIEWER: ("Safety shows adverse events with their reporting clocks. You add a second judgement.",),
    Role.TRIAL_STATISTICIAN: (
        "Releases shows each dataset with its cut, its hash and its codebook. None of yours holds an arm.",
    ),
    Role.UNBLINDED_STATISTICIAN: ("Releases shows both variants of each dataset. Each download is logged.",),
    Role.SPONSOR_REPRESENTATIVE: (
        "Randomisation is where you approve the lock of a scheme, exceptions and the reveal.",
        "You approve what others ask for: nobody approves their own request.",
    ),
    Role.DMEC: ("Releases shows the datasets of the closed report. Each download is logged.",),
    Role.ADMINISTRATOR: (
        "Settings is where you invite people and give them roles at sites, with dates.",
        "You see no participant data. Two roles that must not meet in one person are refused with the reason.",
        "Accounts are disabled, never deleted.",
    ),
}
"""By code of the role: a few sentences, the most needed first."""

PAGES: Mapping[str, str] = {
    "questionnaire_link": "This page shows what was sent to one person for one visit and how far the answers are. A"
    " link is stored nowhere, so it cannot be read out: send another one.",
    "journey:tasks": "This page lists what waits for you, by the day on which it is due. A task goes when its cause is"
    " dealt with.",
    "journey:people": "This page finds people by study number. Where your role allows it, also by surname or date of"
    " birth.",
    "journey:record": "This page shows where one person stands: the next step, the questionnaires by visit, and what"
    " has happened so far.",
    "journey:refer": "One form for one referral. If the person was referred before, the page says so when you save.",
    "journey:referral": "What the referral says. Sealed words are shown after you say why, and each showing is logged.",
    "interest:entries": "People who asked on a public page to be called. What they left goes once you refer or close.",
    "interest:sources": "Each place has an address and a poster of its own. The words need the REC's approval first.",
    "referrals:worklist": "Messages to GPs and referrers that are due. Each sending is logged with its hash.",
    "screening:log": "People who never consented, as anonymous rows. Their identifiers go by the protocol's rule.",
    "exports:referral_model": "Who enrols, starts and keeps going, by referral model and source, with intervals.",
    "journey:import_new": "A list of referrals is checked line by line. Nothing is saved until you confirm.",
    "journey:randomise": "Check everything, choose the factors again, then sign. Nobody can see or change the next"
    " allocation.",
    "access:people": "Everybody with an account. A person without a role signs in and sees nothing.",
    "access:delegation": "A duty works only while the log says so. Duties that end within 30 days are marked.",
    "settings": "How the system is doing, and the way to people, roles and sites.",
}
"""By name of the page from which somebody asks for help."""
