import { dashboardPage } from './dashboard-page.js';

dashboardPage(document);
