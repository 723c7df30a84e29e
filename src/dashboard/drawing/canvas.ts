import { CanvasRenderer } from 'echarts/renderers';
import { use } from './echarts.js';

use([CanvasRenderer]);

export { init } from './echarts.js';
